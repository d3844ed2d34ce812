#!/usr/bin/env bash
# Boots a host, and is its main process until the host ends. Reads the boot nonce, or an empty line, from file
# descriptor 3. Started by entrypoint.sh.
set -eu -o pipefail

library=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
source "$library/lib/log.sh"
source "$library/lib/files.sh"
source "$library/lib/settings.sh"
source "$library/lib/authorized-keys.sh"
source "$library/lib/host-key.sh"
source "$library/lib/host-directory.sh"
source "$library/lib/task-metadata.sh"
source "$library/lib/profile.sh"
source "$library/lib/sshd.sh"
source "$library/lib/setup.sh"
source "$library/lib/lease.sh"
source "$library/lib/watchdog.sh"
source "$library/lib/processes.sh"

# The lowest limit for a Unix socket's path on any supported system: macOS's, without the terminating NUL.
SOCKET_PATH_LIMIT=103

# PID 1 of a container ignores signals without a trap.
trap 'exit "$EXIT_TERMINATED"' TERM
IFS= read -r nonce <&3
exec 3<&-

# Checks the surroundings: in a container the host must run as root, elsewhere its paths must not be too long for tmux.
check_place() {
  local socket=$root/run/tmux-$EUID/default
  check_path "the path of the host's scripts" "$library"
  if is_container && ((EUID != 0)); then
    fail "$EXIT_SETTING" "the host must start as root, not as user $EUID: remove USER from the image or set MNGR_ROOT"
  fi
  if ((${#socket} > SOCKET_PATH_LIMIT)); then
    fail "$EXIT_SETTING" "MNGR_ROOT is ${#root} characters long, too long for tmux's socket: use at most $((${#root} + SOCKET_PATH_LIMIT - ${#socket}))"
  fi
}

check_programs() {
  local program
  for program in ssh-keygen openssl jq curl awk ps tmux; do
    command -v "$program" >/dev/null || fail "$EXIT_UNAVAILABLE" "$program is not installed"
  done
  find_sshd
}

prepare_run_directory() {
  make_directories 700 "$run_directory"
  rm -f "$run_directory/stop-reason"
  write_file 600 "$run_directory/pid" "$$"
}

# shellcheck disable=SC2317,SC2329 # a trap calls it
end_when_terminated() {
  local reason=''
  if IFS= read -r reason 2>/dev/null <"$run_directory/stop-reason"; then
    end_host "$EXIT_TERMINATED" "the host shuts itself down: $reason"
  fi
  end_host "$EXIT_TERMINATED" 'stopped by SIGTERM'
}

read_settings
check_place
check_nonce "$nonce"
check_programs
prepare_run_directory
start_task_arn
write_authorized_keys
make_host_key
make_proof "$nonce"
unset nonce
choose_host_id
read_task_arn
write_host_directory
write_profile
mark_sessions
write_sshd_config "$proof"

# Every trap ends this shell. There is no trap that returns, and none for CHLD: if a second signal arrives while the trap of
# another interrupts `wait`, bash resumes in the wrong place (docs/decisions/098).
trap end_when_terminated TERM
trap 'end_host 130 "stopped by SIGINT"' INT
trap 'end_host "$EXIT_LEASE" "boot lease of $lease_seconds s expired: nobody logged in"' USR1
run_setup
log "host $host_name ($host_id) is starting sshd on port $ssh_port"
start_lease
start_sshd
start_watchdog

status=0
wait "$sshd_pid" || status=$?
end_host "$EXIT_SSHD" "sshd exited unexpectedly with exit code $status"
