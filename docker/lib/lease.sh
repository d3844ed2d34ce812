# The boot lease: a host that nobody logs in to ends itself, so a launcher that died leaves nothing running. Sourced.

# start_lease: sets lease_pid, which is empty without a lease. Sends USR1 to the main process when the lease expires. The time
# is measured with `sleep`, because the machine's clock may still be adjusted after boot.
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

# watch_log: forwards sshd's log, and ends the lease at the first login. sshd encodes control characters that clients send, so
# clients can't forge a line that begins with these words.
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
