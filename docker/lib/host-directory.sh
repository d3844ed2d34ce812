# mngr's host directory: what mngr expects to find there before its first agent (mngr's CertifiedHostData and activity
# files; docs/image.md). Sourced.

# choose_host_id: sets host_id. A restarted host keeps the id that its data.json has.
choose_host_id() {
  host_id=${MNGR_HOST_ID-}
  if [[ -z $host_id && -s $host_directory/data.json ]]; then
    host_id=$(jq -r '.host_id // empty' "$host_directory/data.json" 2>/dev/null) || host_id=''
  fi
  if [[ -z $host_id ]]; then host_id=host-$(openssl rand -hex 16); fi
  if [[ ! $host_id =~ ^host-[0-9a-f]{32}$ ]]; then
    fail "$EXIT_SETTING" "MNGR_HOST_ID must be host- and 32 lower-case hexadecimal digits, not $(shown "$host_id")"
  fi
}

# write_host_directory: the directories, data.json unless there is one (mngr and `mngr limit` change it), the time of
# this boot, and the script that ends the host.
write_host_directory() {
  local name
  make_directory 755 "$host_directory"
  for name in activity commands events logs; do make_directory 755 "$host_directory/$name"; done
  if [[ ! -s $host_directory/data.json ]]; then
    write_file 644 "$host_directory/data.json" "$(certified_host_data)"
  fi
  write_file 644 "$host_directory/activity/boot" "{\"time\": $(date +%s)000, \"host_id\": \"$host_id\"}"
  write_file 755 "$host_directory/commands/shutdown.sh" "#!/usr/bin/env bash
# Ends this host. mngr's activity watcher calls it: without an argument when the host is idle or too old, with STOPPED
# when its agents have ended.
exec bash '$library/shutdown.sh' '$run_directory' '$host_directory' \"\${1:-PAUSED}\""
}

# certified_host_data: data.json. mngr refuses keys that it doesn't know, so ours are below plugin.fargate.
certified_host_data() {
  jq -n \
    --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    --arg host_id "$host_id" \
    --arg host_name "$host_name" \
    --arg provider "$provider" \
    --arg task_arn "$task_arn" \
    --argjson idle_timeout_seconds "$idle_seconds" \
    --argjson max_host_age "${max_age_seconds:-null}" \
    --arg user_tags "$user_tags" '
    ($user_tags | fromjson) as $tags
    | if ($tags | type) != "object" or any($tags[]; type != "string") then error else . end
    | {
      idle_timeout_seconds: $idle_timeout_seconds,
      activity_sources: (if $idle_timeout_seconds == 0 then [] else ["USER", "AGENT", "SSH", "CREATE", "START", "BOOT"] end),
      idle_mode: (if $idle_timeout_seconds == 0 then "DISABLED" else "IO" end),
      created_at: $now,
      updated_at: $now,
      max_host_age: $max_host_age,
      plugin: {fargate: ({provider: $provider} + if $task_arn == "" then {} else {task_arn: $task_arn} end)},
      image: null,
      generated_work_dirs: [],
      generated_source_dirs: [],
      host_id: $host_id,
      host_name: $host_name,
      user_tags: $tags,
      snapshots: [],
      tmux_session_prefix: "mngr-",
      stop_reason: null,
      failure_reason: null,
      build_log: null
    }' 2>/dev/null ||
    fail "$EXIT_SETTING" "MNGR_USER_TAGS must be a JSON object of strings, not $(shown "$user_tags")"
}
