# The boot lease: a host that nobody logs in to ends itself, so that a launcher that died leaves nothing running. Sourced.

# watch_log: passes sshd's log on and waits for the first login in it. Signals USR1 to the main process when the lease
# has run out. sshd encodes control characters that clients send, so a line that begins like this is sshd's own word.
watch_log() {
  local line remaining end=$((SECONDS + lease_seconds)) claimed=''
  trap '' TERM INT
  if ((lease_seconds == 0)); then claimed=never-needed; fi
  while :; do
    if [[ -n $claimed ]]; then
      IFS= read -r line || return 0
    else
      remaining=$((end - SECONDS))
      if ((remaining <= 0)); then
        claimed=too-late
        kill -USR1 "$$"
        continue
      fi
      if ! IFS= read -r -t "$remaining" line; then
        if ((SECONDS >= end)); then continue; fi
        return 0
      fi
    fi
    line=${line%$'\r'}
    printf '%s\n' "$line" >&2
    if [[ -z $claimed && $line == 'Accepted publickey for '* ]]; then
      claimed=yes
      log 'the boot lease has ended: somebody logged in'
    fi
  done
}
