# The watchdog's life as boot.sh sees it; watchdog.sh is the watchdog itself. Sourced.

# start_watchdog: sets watchdog_pid. The watchdog is the main process's own child, which is how it knows its host.
start_watchdog() {
  bash "$library/watchdog.sh" "$sshd_pid" &
  watchdog_pid=$!
}

# revive_watchdog: starts it again when something has ended it. Not at once: what ended it may do so again.
# shellcheck disable=SC2317,SC2329 # a trap calls it
revive_watchdog() {
  if [[ -z $watchdog_pid ]] || kill -0 "$watchdog_pid" 2>/dev/null; then return; fi
  log "the watchdog has ended: another one starts in $watchdog_interval s"
  {
    sleep "$watchdog_interval" &
    sleeper=$!
    trap 'kill "$sleeper"; exit' TERM
    wait "$sleeper"
    exec bash "$library/watchdog.sh" "$sshd_pid"
  } &
  watchdog_pid=$!
}

end_watchdog() {
  local pid=${watchdog_pid-}
  watchdog_pid=''
  if [[ -n $pid ]]; then kill "$pid" 2>/dev/null || true; fi
}
