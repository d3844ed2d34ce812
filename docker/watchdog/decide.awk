# Decides whether the host ends, by its limits and its activity: mngr's rules in mngr's order. Takes `present`, `confirmed`
# and `busy` from sample.awk. Prints what counts as activity now, and one verdict:
#   keep            the host goes on
#   pause REASON    it is too old, or idle
#   stopped REASON  its agents have ended
# Prints no verdict if it doesn't know the time or the limits.

BEGIN { GRACE = 120 } # seconds in which agents must start a session, after a boot and after their directory was created

$1 == "limits" { timeout = $2; max_age = $3; sources = "," $4 ","; limited = 1 }
$1 == "prefix" { prefix = $2 }
$1 == "started" { started = $2 }
$1 == "now" { now = $2 }
$1 == "pane" { panes++; if (prefix != "" && index($3, prefix) == 1) agent_sessions++ }
$1 == "panes" { panes_unknown = 1 }
$1 == "file" { read_file($2, $5); if ($5 == "data.json") print "data " $2 " " $3 " " $4 }

END {
  if (now == "" || !limited) exit
  if (confirmed) record("ssh")
  if (busy) record("agent")
  print verdict()
}

function verdict(    age, idle) {
  if (boot == "") boot = started
  age = now - boot
  if (max_age != "-" && age >= max_age) {
    return sprintf("pause too old: booted %.0f s ago, max_host_age %s s", age, max_age)
  }
  if (sources == ",-,") return "keep"
  if (agents_have_ended(age)) {
    return sprintf("stopped no agent left: no tmux session %s*, the newest of %d agents was made %.0f s ago", prefix, agents, now - newest_agent)
  }
  # If none of the configured sources has a file, the boot counts as the latest activity.
  if (latest == "") { latest = "boot"; newest = boot }
  idle = now - newest
  if (timeout > 0 && idle >= timeout && !(present && is_source("ssh"))) {
    return sprintf("pause idle: no activity for %.0f s, latest %s, idle_timeout_seconds %s", idle, latest, timeout)
  }
  return "keep"
}

# With a session open, somebody may be investigating why the agents have ended.
function agents_have_ended(age) {
  if (prefix == "" || agents == 0 || agent_sessions || panes_unknown || present) return 0
  return now - newest_agent >= GRACE && age >= GRACE
}

# read_file MTIME PATH: PATH is below the host directory. The watchdog writes `activity/agent`; mngr writes `agents/*/activity/agent`.
function read_file(mtime, path,    part, count) {
  count = split(path, part, "/")
  if (part[1] == "activity" && count == 2) {
    if (part[2] == "boot") boot = mtime
    if (part[2] ~ /^(boot|user|ssh|agent)$/) count_activity(part[2], mtime)
  } else if (part[1] == "agents" && count == 3 && part[3] == "") {
    agents++
    if (mtime > newest_agent) newest_agent = mtime
  } else if (part[1] == "agents" && count == 4 && part[3] == "activity" && part[4] !~ /^(boot|user|ssh)$/) {
    count_activity(part[4], mtime)
  }
}

function count_activity(source, mtime) {
  if (!is_source(source) || (latest != "" && mtime <= newest)) return
  newest = mtime
  latest = source
}

function is_source(source) { return index(sources, "," source ",") }

function record(source) {
  print "touch " source
  count_activity(source, now)
}
