# Ends what the host has started. Sourced.

# end_host CODE TEXT: the last act. Sessions and agents get SIGTERM and half a second; what is left then ends with the
# container, or by SIGKILL where there is none.
end_host() {
  local round
  trap '' TERM INT USR1
  log "$2"
  signal_all TERM
  for round in 1 2 3 4 5; do
    sleep 0.1
    if [[ -z $(host_processes) ]]; then break; fi
  done
  if ! is_container; then
    for round in 1 2 3 4 5; do
      if [[ -z $(host_processes) ]]; then break; fi
      signal_all KILL
      sleep 0.1
    done
    rm -f "$run_directory/pid"
  fi
  exit "$1"
}

signal_all() {
  local pid
  for pid in $(host_processes); do kill "-$1" "$pid" 2>/dev/null || true; done
}

# host_processes: sshd with its connections, and all that carries the mark of this host's sessions in its environment,
# such as a tmux server, which nobody's child can be found by.
host_processes() {
  { descendants && marked; } | sort -un | grep -vx -e "$$" -e "${log_pid:-}" || true
}

# descendants: of the main process, without the ones that are listing them.
descendants() {
  ps -A -o pid=,ppid=,comm= | awk -v "main=$$" '
    { parent[$1] = $2; name[$1] = $3 }
    END {
      for (pid in parent) {
        if (name[pid] ~ /(^|\/)(bash|ps|awk|sort|grep|sleep)$/ && parent[pid] == main) continue
        for (up = parent[pid]; up > 1; up = parent[up]) if (up == main) { print pid; break }
      }
    }'
}

marked() {
  if [[ -r /proc/self/environ ]]; then
    grep -lzFx -- "$session_mark" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n' || true
  else
    ps -axEww -o pid=,command= | awk -v "mark= $session_mark " 'index($0 " ", mark) { print $1 }'
  fi
}
