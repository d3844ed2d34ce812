# The watchdog's life as boot.sh sees it; watchdog.sh is the watchdog itself. Sourced.

# start_watchdog: starts another one when something else than the host's end has ended it. Not at once: what ended it may
# do so again.
start_watchdog() {
  until bash "$library/watchdog.sh" "$sshd_pid" "$$"; do
    log "the watchdog has ended: another one starts in $watchdog_interval s"
    sleep "$watchdog_interval"
  done &
}
