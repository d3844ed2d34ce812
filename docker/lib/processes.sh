# Ends what the host has started. Sourced.

# mark_sessions: sets boot_id, which SSH sessions have in their environment as MNGR_BOOT_ID. All that they start carries
# it on, a tmux server included, which isn't anybody's child any more.
mark_sessions() {
  boot_id=$host_id-$$-$RANDOM$RANDOM
}

# end_host CODE TEXT: the last act. Sessions and agents get SIGTERM and half a second; what is left then ends with the
# container, or by SIGKILL where there is none.
end_host() {
  trap '' TERM INT USR1
  # Whatever fails here, what follows is to be done all the same.
  set +e
  log "$2"
  # Stopped first, so that no session begins between the listing and the signal.
  started=$(started_processes)
  signal_all STOP
  started=$(started_processes)
  signal_all TERM
  signal_all CONT
  await_end
  if ! is_container; then
    signal_all KILL
    await_end
    rm -f "$run_directory/pid"
  fi
  exit "$1"
}

# await_end: returns when nothing of the host runs, and after half a second anyway.
await_end() {
  local tries=5
  while ((tries > 0)) && [[ -n $(host_processes) ]]; do
    sleep 0.1
    tries=$((tries - 1))
  done
}

signal_all() {
  local pid
  for pid in $started $(session_processes); do kill "-$1" "$pid" 2>/dev/null; done
}

# host_processes: the numbers of those that run still. Zombies don't, and may have a parent by then that is in no hurry.
host_processes() {
  ps -A -o pid=,stat= | awk -v "started=$started" '
    BEGIN { for (count = split(started, part, " "); count > 0; count--) of_host[part[count]] = 1 }
    ($1 in of_host) && $2 !~ /^Z/ { print $1 }'
  session_processes
}

# started_processes: all below the main process, sshd with its connections, the lease and the watchdog, whether or not
# the main process has come to note their numbers. Without the reader of sshd's log, which ends with its last line.
started_processes() {
  ps -A -o pid=,ppid= | awk -v "main=$$" -v "reader=${log_pid:-0}" '
    { parent[$1] = $2 }
    END {
      for (pid in parent) for (up = pid; up > 1 && up != reader; up = parent[up]) if (parent[up] == main) { printf "%s ", pid; break }
    }'
}

session_processes() {
  if [[ -r /proc/self/environ ]]; then
    grep -lzFx -- "MNGR_BOOT_ID=$boot_id" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n' || true
  else
    ps -axEww -o pid=,command= | awk -v "mark= MNGR_BOOT_ID=$boot_id " 'index($0 " ", mark) { print $1 }'
  fi
}
