# mngr's host directory, with what mngr expects before it starts its first agent (mngr's CertifiedHostData and activity files;
# docs/image.md). Sourced.

# choose_host_id: sets host_id. A restarted host keeps the id in its data.json. An id of another form is what somebody calls
# the host who doesn't use mngr, which would refuse it: the host then has an id of its own.
choose_host_id() {
  host_id=${MNGR_HOST_ID-}
  if [[ -n $host_id ]] && ! is_host_id "$host_id"; then
    log "MNGR_HOST_ID is not host- and 32 lower-case hexadecimal digits, but $(shown "$host_id"): the host generates its own id"
    host_id=''
  fi
  if [[ -z $host_id && -s $host_directory/data.json ]]; then
    host_id=$(jq -r '.host_id // empty' "$host_directory/data.json" 2>/dev/null) || host_id=''
  fi
  if ! is_host_id "$host_id"; then host_id=host-$(openssl rand -hex 16); fi
}

is_host_id() {
  [[ $1 =~ ^host-[0-9a-f]{32}$ ]]
}

# write_host_directory: writes the directories, data.json unless it exists (mngr changes it), the time of this boot, and the
# script that ends the host.
write_host_directory() {
  local now seconds
  read -r now seconds <<<"$(date -u '+%Y-%m-%dT%H:%M:%SZ %s')"
  make_directories 755 "$host_directory" "$host_directory"/{activity,commands,events,logs}
  if [[ ! -s $host_directory/data.json ]]; then
    check_tags
    write_file 644 "$host_directory/data.json" "$(certified_host_data "$now")"
  fi
  write_file 644 "$host_directory/activity/boot" "{\"time\": ${seconds}000, \"host_id\": \"$host_id\"}"
  write_file 755 "$host_directory/commands/shutdown.sh" "#!/usr/bin/env bash
# Ends this host. mngr's activity watcher calls it: without an argument if the host is idle or too old, with STOPPED if its
# agents have ended.
exec bash '$library/shutdown.sh' '$run_directory' '$host_directory' \"\${1:-PAUSED}\""
}

# certified_host_data NOW: prints data.json. mngr refuses unknown keys, so ours are below plugin.fargate. All values have been
# checked for characters that JSON would have to escape.
certified_host_data() {
  local plugin="\"provider\": \"$provider\"" sources='"USER", "AGENT", "SSH", "CREATE", "START", "BOOT"' mode=IO
  if [[ -n $task_arn ]]; then plugin+=", \"task_arn\": \"$task_arn\""; fi
  if ((idle_seconds == 0)); then sources='' mode=DISABLED; fi
  printf '%s\n' "{
  \"idle_timeout_seconds\": $idle_seconds,
  \"activity_sources\": [$sources],
  \"idle_mode\": \"$mode\",
  \"created_at\": \"$1\",
  \"updated_at\": \"$1\",
  \"max_host_age\": ${max_age_seconds:-null},
  \"plugin\": {\"fargate\": {$plugin}},
  \"image\": null,
  \"generated_work_dirs\": [],
  \"generated_source_dirs\": [],
  \"host_id\": \"$host_id\",
  \"host_name\": \"$host_name\",
  \"user_tags\": $user_tags,
  \"snapshots\": [],
  \"tmux_session_prefix\": \"mngr-\",
  \"stop_reason\": null,
  \"failure_reason\": null,
  \"build_log\": null
}"
}

# check_tags: checks that user_tags is one JSON object of strings, and puts it on one line.
check_tags() {
  local given=$user_tags
  if [[ $user_tags == '{}' ]]; then return; fi
  if ! user_tags=$(jq -ces 'if length == 1 and (.[0] | type == "object" and all(.[]; type == "string")) then .[0] else error end' \
    <<<"$given" 2>/dev/null); then
    fail "$EXIT_SETTING" "MNGR_USER_TAGS must be a JSON object of strings, not $(shown "$given")"
  fi
}
