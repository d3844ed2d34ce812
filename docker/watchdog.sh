#!/usr/bin/env bash
# Ends the host when it has been idle for too long, is too old, or its agents have ended. Follows mngr's idle contract
# (activity_watcher.sh of imbue-mngr 0.3.0), and also counts sessions and busy agents that mngr doesn't see (docs/image.md).
# Arguments: the pids of the host's sshd and of boot.sh. boot.sh starts the watchdog with the host's environment, and the
# watchdog exits with 0 only when boot.sh has ended.
#
# Runs in rounds, with a pause before each. A round that can't get the facts that it needs ends nothing.
set -eu

library=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
# Parts of the main process; the watchdog uses only some of their variables.
# shellcheck disable=SC2034
source "$library/lib/log.sh"
# shellcheck disable=SC2034
source "$library/lib/settings.sh"
source "$library/watchdog/limits.sh"
source "$library/watchdog/facts.sh"
source "$library/watchdog/stop.sh"

sshd_pid=$1
main_pid=$2
read_settings
watchdog_log=$host_directory/logs/watchdog.log

# pause: waits for one interval with a read that never gets data; `sleep` would be one more process for the host's life.
pause() {
  read -r -t "$watchdog_interval" -u 8 || true
}

prepare_pause() {
  local pipe=$run_directory/watchdog-pause
  rm -f "$pipe"
  if ! mkfifo -m 600 "$pipe" || ! exec 8<>"$pipe"; then fail "$EXIT_CANT_CREATE" "the watchdog cannot create $pipe"; fi
  rm -f "$pipe"
}

# say TEXT: writes a line to the container's log and to the host's own log.
say() {
  log "$1"
  { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >>"$watchdog_log"; } 2>/dev/null || true
}

# say_once WHAT TEXT: writes TEXT unless it was the last text written about WHAT.
say_once() {
  local said=said_$1
  if [[ ${!said-} == "$2" ]]; then return; fi
  printf -v "$said" '%s' "$2"
  say "$2"
}

# forget WHAT: lets the next say_once about WHAT be written again.
forget() {
  printf -v "said_$1" '%s' ''
}

# look: checks the host once. Sets verdict (empty if there are not enough facts) and the values that the next check compares
# with.
look() {
  local word rest
  verdict='' reason='' data='' active=()
  while IFS=' ' read -r word rest; do
    case $word in
      uptime) uptime=$rest ;;
      cpu) cpu=$rest ;;
      sessions) sessions=$rest ;;
      data) data=$rest ;;
      touch) active+=("$rest") ;;
      keep | pause | stopped)
        verdict=$word
        reason=$rest
        ;;
    esac
  done < <(gather_facts | judge)
}

run_round() {
  local source
  look
  if [[ $data != "$limits_of" ]]; then
    follow_data "$data"
    look
  fi
  last_uptime=$uptime
  last_cpu=$cpu
  last_sessions=$sessions
  for source in ${active[@]+"${active[@]}"}; do record_activity "$source"; done
  case $verdict in
    keep) forget lock ;;
    pause) stop_host '' "$reason" ;;
    stopped) stop_host STOPPED "$reason" ;;
    *) say_once look 'the watchdog cannot read the state of this host, and ends nothing until it can' ;;
  esac
}

# record_activity SOURCE: touches the file in which mngr and the launcher look for the time of the latest activity.
record_activity() {
  { printf '{"source": "watchdog"}\n' >"$host_directory/activity/$1"; } 2>/dev/null || true
}

prepare_pause
start_facts
start_limits
# From here on, a failing command must not end the watchdog.
set +e
pause
while kill -0 "$main_pid" 2>/dev/null; do
  run_round
  pause
done
