# Ends what the host has started. Sourced.

# mark_sessions: sets boot_id, which is MNGR_BOOT_ID in the environment of SSH sessions. All their processes inherit it, even a
# tmux server, which no longer has a parent on the host.
mark_sessions() {
  boot_id=$host_id-$$-$RANDOM$RANDOM
}

# end_host CODE TEXT: ends the host. Sessions and agents get SIGTERM and half a second. What is left then ends with the
# container or, without a container, by SIGKILL.
end_host() {
  trap '' TERM INT USR1
  # If something fails here, the rest must still run.
  set +e
  log "$2"
  # Stop first, so that no session starts between the listing and the signal.
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

# await_end: waits until no process of the host is running, but at most half a second.
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

# host_processes: prints the pids of processes that are still running. Zombies aren't; their parent may reap them late.
host_processes() {
  ps -A -o pid=,stat= | awk -v "started=$started" '
    BEGIN { for (count = split(started, part, " "); count > 0; count--) of_host[part[count]] = 1 }
    ($1 in of_host) && $2 !~ /^Z/ { print $1 }'
  session_processes
}

# started_processes: prints the pids of all descendants of the main process (sshd with its connections, the lease and the
# watchdog), whether or not it has recorded them. Leaves out the reader of sshd's log, which ends with the log.
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
