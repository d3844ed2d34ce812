# The boot lease: a host that nobody logs in to ends itself, so that a launcher that died leaves nothing running. Sourced.

# start_lease: sets lease_pid, empty without a lease. Signals USR1 to the main process when the time is up. `sleep`
# counts it, since the machine's clock may still be set right at boot.
start_lease() {
  lease_pid=''
  if ((lease_seconds == 0)); then return; fi
  {
    sleep "$lease_seconds" &
    sleeper=$!
    trap 'kill "$sleeper" 2>/dev/null; exit' TERM
    wait "$sleeper"
    kill -USR1 "$$"
  } &
  lease_pid=$!
}

end_lease() {
  if [[ -n $lease_pid ]]; then kill "$lease_pid" 2>/dev/null || true; fi
}

# watch_log: passes sshd's log on; the first login in it ends the lease. sshd encodes control characters that clients
# send, so a line that begins with these words is sshd's own.
watch_log() {
  local line claimed=''
  trap '' TERM INT
  while IFS= read -r line; do
    line=${line%$'\r'}
    printf '%s\n' "$line" >&2
    if [[ -z $claimed && $line == 'Accepted publickey for '* ]]; then
      claimed=yes
      end_lease
    fi
  done
}
