#!/usr/bin/env bash
# Ends the host from inside. Arguments: the run directory, the host directory, the reason (PAUSED, STOPPED or any text).
set -eu

pid=$(<"$1/pid")
# Only the host's own main process: without a container, another process may have reused its pid.
case $(ps -o args= -p "$pid") in
  *boot.sh*) ;;
  *)
    echo "process $pid does not belong to this host" >&2
    exit 1
    ;;
esac
# The host ends even if its log can't be written.
printf '%s shutdown.sh: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$3" >>"$2/logs/shutdown.log" || true
printf '%s\n' "$3" >"$1/stop-reason"
kill -TERM "$pid"
