#!/usr/bin/env bash
# Ends the host from within. Arguments: the run directory, the host directory, the reason (PAUSED, STOPPED, or words).
set -eu

pid=$(<"$1/pid")
# Only ever the host's own main process: without a container its number may have passed to another.
case $(ps -o args= -p "$pid") in
  *boot.sh*) ;;
  *)
    echo "process $pid is not this host's" >&2
    exit 1
    ;;
esac
# A host that has lost its log ends all the same.
printf '%s shutdown.sh: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$3" >>"$2/logs/shutdown.log" || true
printf '%s\n' "$3" >"$1/stop-reason"
kill -TERM "$pid"
