# Collects the facts of a round, as lines for sample.awk and decide.awk. Sourced.

# Seconds to wait for tmux: a stopped (SIGSTOP) server never answers.
TMUX_PATIENCE_SECONDS=5

# start_facts: sets what stays the same for the watchdog's life, and how to call this system's tools.
start_facts() {
  started=$(date +%s)
  last_uptime=-
  last_cpu=-
  last_sessions=-
  ticks_a_second=$(getconf CLK_TCK 2>/dev/null) || ticks_a_second=100
  # The same as in the host's sessions (session_environment).
  if ! is_container; then export TMUX_TMPDIR=$root/run; fi
  tmux_socket=${TMUX_TMPDIR:-/tmp}/tmux-$EUID/default
  stat_format=(-c 'file %Y %i %s %n')
  if ! stat "${stat_format[@]}" / >/dev/null 2>&1; then stat_format=(-f 'file %m %i %z %N'); fi
  patience=()
  if command -v timeout >/dev/null; then patience=(timeout "$TMUX_PATIENCE_SECONDS"); fi
}

# judge: turns facts into new values and a verdict.
judge() {
  awk -f "$library/watchdog/sample.awk" -f "$library/watchdog/decide.awk"
}

gather_facts() {
  printf '%s\n' \
    "limits $limit_idle $limit_age $limit_sources" \
    "prefix $limit_prefix" \
    "started $started" \
    "sshd $sshd_pid" \
    "busy $busy_percent $ticks_a_second" \
    "last $last_uptime $last_cpu $last_sessions"
  if is_container; then printf 'container\n'; fi
  date '+now %s'
  list_panes
  # In a subshell, so that the watchdog's own working directory isn't one that somebody may replace.
  (cd "$host_directory" 2>/dev/null && exec stat "${stat_format[@]}" data.json activity/* agents/*/ agents/*/activity/* 2>/dev/null)
  list_processes
}

# list_panes: lists the panes of the tmux server that mngr uses, if it has a socket.
list_panes() {
  local status=0
  if [[ ! -S $tmux_socket ]]; then return; fi
  ${patience[@]+"${patience[@]}"} tmux list-panes -a -F 'pane #{pane_pid} #{session_name}' 2>/dev/null || status=$?
  # With 1 tmux reports that it has no server; other codes say nothing about its sessions.
  if ((status > 1)); then printf 'panes unknown\n'; fi
}

list_processes() {
  if [[ -r /proc/self/stat ]]; then
    printf 'table proc\n'
    cat /proc/uptime /proc/[0-9]*/stat 2>/dev/null
  else
    printf 'table ps\n'
    ps axS -o pid= -o ppid= -o time= -o comm=
  fi
}
