# Reads the host's process table. Sets `present` (the number of sessions), `confirmed` (the number of them that the previous
# round also saw) and `busy` (whether agents use the processor), and prints the values that the next round compares with.

# Everything after this line is the process table.
$1 == "table" { table = $2; next }
table == "proc" { read_proc(); next }
table == "ps" { read_ps(); next }

$1 == "sshd" { listener[$2] = 1 }
$1 == "container" { container = 1 }
$1 == "busy" { busy_percent = $2; ticks_a_second = $3 }
$1 == "last" { last_uptime = $2; last_cpu = $3; remember($4) }
$1 == "pane" { pane[$2] = 1 }
$1 == "now" { now = $2 }

END {
  if (table == "ps") uptime = now
  for (pid in parent) {
    if (is_session(pid)) {
      present++
      sessions = sessions "," pid
      if (pid in seen_before) confirmed++
    }
    if (is_below(pid, pane)) cpu += ticks[pid]
  }
  if (last_cpu ~ /^[0-9]+$/ && uptime > last_uptime) {
    busy = (cpu - last_cpu) / ticks_a_second * 100 >= busy_percent * (uptime - last_uptime)
  }
  printf "uptime %s\ncpu %.0f\nsessions -%s\n", uptime, cpu, sessions
}

# /proc/uptime, then /proc/PID/stat of each process: PID (NAME) STATE PARENT …; NAME may contain spaces and parentheses.
function read_proc(    rest, field) {
  if (NF == 2) { uptime = $1; return }
  if (!match($0, /^[0-9]+ \(/)) return
  rest = $0
  sub(/^.*\) /, "", rest)
  if (split(rest, field, " ") < 15) return
  name[$1] = substr($0, RLENGTH + 1, length($0) - length(rest) - RLENGTH - 2)
  parent[$1] = field[2]
  zombie[$1] = field[1] == "Z"
  # Includes the time of ended children: a build's many short processes are visible only there.
  ticks[$1] = field[12] + field[13] + field[14] + field[15]
}

# Output of ps: PID PARENT TIME NAME, with the time as [[D-]H:]M:S[.CC], and the name with its path on some systems.
function read_ps(    part, count, position, seconds) {
  if (NF < 4) return
  name[$1] = $NF
  sub(/^.*\//, "", name[$1])
  parent[$1] = $2
  count = split($3, part, /[-:]/)
  for (position = 1; position <= count; position++) {
    seconds = seconds * (position == 2 && index($3, "-") ? 24 : 60) + part[position]
  }
  ticks[$1] = seconds * ticks_a_second
}

# A session is what an authenticated connection runs: a shell, a command, an SFTP server. sshd's own processes, before and
# after the login, are named sshd or, since OpenSSH 9.8, sshd-session and sshd-auth. A connection that only forwards ports has
# no other processes.
function is_session(pid) {
  if (zombie[pid]) return 0
  if (container && name[pid] == "ssm-session-wor") return 1 # ssm-session-worker: the kernel truncates names to 15 characters
  return name[pid] !~ /^sshd/ && name[parent[pid]] ~ /^sshd/ && is_below(pid, listener)
}

# is_below: whether the process or one of its ancestors is in `tops`. A broken table may have cycles.
function is_below(pid, tops,    steps) {
  for (steps = 0; steps < 1000 && pid > 1; steps++) {
    if (pid in tops) return 1
    pid = parent[pid]
  }
  return 0
}

function remember(list,    part, count) {
  count = split(list, part, ",")
  for (; count > 0; count--) seen_before[part[count]] = 1
}
