# The watchdog's life as boot.sh sees it; watchdog.sh is the watchdog itself. Sourced.

start_watchdog() {
  keep_watchdog &
}

# keep_watchdog: starts it again when something has ended it. Not at once: what ended it may do so again.
keep_watchdog() {
  while kill -0 "$$" 2>/dev/null; do
    bash "$library/watchdog.sh" "$sshd_pid" "$$" || true
    log "the watchdog has ended: another one starts in $watchdog_interval s"
    sleep "$watchdog_interval"
  done
}
