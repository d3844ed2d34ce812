# Ends the host under mngr's host lock, so that no mngr client starts to work on it meanwhile. Sourced.

# Seconds after which a non-empty lock file is considered stale. mngr 0.2 leaves its lock file behind if it is killed; 0.3
# holds flock(2) on an empty file, which the kernel releases when its holder ends.
STALE_LOCK_SECONDS=3600

# stop_host ARGUMENT REASON: ARGUMENT is shutdown.sh's, empty or STOPPED.
stop_host() {
  local script=$host_directory/commands/shutdown.sh
  if ! take_lock; then
    say_once lock 'the watchdog waits for mngr to release the host lock before it ends this host'
    return
  fi
  say "the watchdog ends this host: $2"
  if [[ -x $script ]]; then
    # In the background, because the script isn't ours: it may hang, or exit without ending anything.
    "$script" ${1:+"$1"} 8>&- 9>&- &
    pause
    kill "$!" 2>/dev/null
    say 'commands/shutdown.sh has not ended this host'
  fi
  bash "$library/shutdown.sh" "$run_directory" "$host_directory" "${1:-PAUSED}" 9>&-
  pause
  exec 9>&-
}

# take_lock: takes the lock on descriptor 9 and increments its generation, as every holder does. Fails while another process
# holds the lock.
take_lock() {
  local lock=$host_directory/host_lock count=0
  if [[ -s $lock ]] && is_fresh "$lock"; then return 1; fi
  # Without the directory there is no lock, and mngr can't use the host either.
  if ! { exec 9>>"$lock"; } 2>/dev/null; then return 0; fi
  if command -v flock >/dev/null && ! flock -n 9; then
    exec 9>&-
    return 1
  fi
  { read -r count <"$lock.generation"; } 2>/dev/null
  if [[ ! $count =~ ^[0-9]{1,15}$ ]]; then count=0; fi
  printf '%s\n' "$((10#$count + 1))" 2>/dev/null >"$lock.generation" || true
}

is_fresh() {
  local mtime
  mtime=$(stat "${stat_format[@]}" "$1" 2>/dev/null) || return 1
  read -r _ mtime _ <<<"$mtime"
  (($(date +%s) - mtime < STALE_LOCK_SECONDS))
}
