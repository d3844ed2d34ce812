# What a round looks at, as lines for sample.awk and decide.awk. Sourced.

# A tmux server that has been stopped answers nobody; seconds until the round goes on without it.
TMUX_PATIENCE_SECONDS=5

# start_facts: what stays the same for the watchdog's life, and how this system's tools are called.
start_facts() {
  started=$(date +%s)
  last_uptime=-
  last_cpu=-
  last_sessions=-
  ticks_a_second=$(getconf CLK_TCK 2>/dev/null) || ticks_a_second=100
  # As the host's sessions have it (session_environment).
  if ! is_container; then export TMUX_TMPDIR=$root/run; fi
  tmux_socket=${TMUX_TMPDIR:-/tmp}/tmux-$EUID/default
  stat_format=(-c 'file %Y %i %s %n')
  if ! stat "${stat_format[@]}" / >/dev/null 2>&1; then stat_format=(-f 'file %m %i %z %N'); fi
  patience=()
  if command -v timeout >/dev/null; then patience=(timeout "$TMUX_PATIENCE_SECONDS"); fi
}

# judge: turns facts into what changes and a verdict.
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
  # In a subshell of its own: the watchdog must not stand in a directory that somebody may replace.
  (cd "$host_directory" 2>/dev/null && exec stat "${stat_format[@]}" data.json activity/* agents/*/ agents/*/activity/* 2>/dev/null)
  list_processes
}

# list_panes: those of the tmux server that mngr's sessions are in. Without its socket there is none to ask.
list_panes() {
  local status=0
  if [[ ! -S $tmux_socket ]]; then return; fi
  ${patience[@]+"${patience[@]}"} tmux list-panes -a -F 'pane #{pane_pid} #{session_name}' 2>/dev/null || status=$?
  # 1 is tmux's own word that it serves nobody; anything else says nothing about its sessions.
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
