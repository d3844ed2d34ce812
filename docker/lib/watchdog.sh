# Starts the watchdog and keeps it running; ../watchdog.sh is the watchdog itself. Sourced.

# start_watchdog: starts the watchdog again if it ends before the host does, one interval later, in case it fails again.
start_watchdog() {
  until bash "$library/watchdog.sh" "$sshd_pid" "$$"; do
    log "the watchdog has ended: another one starts in $watchdog_interval s"
    sleep "$watchdog_interval"
  done &
}
