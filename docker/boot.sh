#!/usr/bin/env bash
# Boots a host and stays as its main process until the host ends. Reads the boot nonce, or an empty line, from file
# descriptor 3. Started by entrypoint.sh.
set -eu -o pipefail

library=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$library/lib/log.sh"
source "$library/lib/files.sh"
source "$library/lib/settings.sh"
source "$library/lib/authorized-keys.sh"
source "$library/lib/host-key.sh"
source "$library/lib/host-directory.sh"
source "$library/lib/task-metadata.sh"
source "$library/lib/sshd.sh"
source "$library/lib/lease.sh"
source "$library/lib/processes.sh"

# PID 1 of a container ignores signals that it has no trap for.
trap 'exit "$EXIT_TERMINATED"' TERM
IFS= read -r nonce <&3
exec 3<&-

check_programs() {
  local program
  for program in ssh-keygen openssl jq curl awk ps tmux; do
    command -v "$program" >/dev/null || fail "$EXIT_UNAVAILABLE" "$program is not installed"
  done
  find_sshd
}

prepare_run_directory() {
  make_directory 755 "$root/run"
  make_directory 700 "$run_directory"
  make_directory 700 "$home"
  rm -f "$run_directory/stop-reason"
  write_file 600 "$run_directory/pid" "$$"
}

# What the processes of this host's sessions have in their environment and no others.
mark_processes() {
  if is_container; then session_mark=MNGR_HOST_ID=$host_id; else session_mark=MNGR_ROOT=$root; fi
}

end_when_terminated() {
  local reason
  if IFS= read -r reason 2>/dev/null <"$run_directory/stop-reason"; then
    end_host "$EXIT_TERMINATED" "the host shuts itself down: $reason"
  fi
  end_host "$EXIT_TERMINATED" 'stopped by SIGTERM'
}

read_settings
check_nonce "$nonce"
check_programs
prepare_run_directory
start_task_arn
write_authorized_keys
make_host_key
proof=''
if [[ -n $nonce ]]; then proof=$(host_key_proof "$nonce"); fi
unset nonce
choose_host_id
read_task_arn
write_host_directory
write_sshd_config "$proof"
mark_processes

trap end_when_terminated TERM
trap 'end_host 130 "stopped by SIGINT"' INT
trap 'end_host "$EXIT_LEASE" "boot lease of $lease_seconds s ran out: nobody logged in"' USR1
start_sshd
log "$host_name ($host_id) is ready: sshd on port $ssh_port"

status=0
wait "$sshd_pid" || status=$?
end_host "$EXIT_SSHD" "sshd ended by itself with exit code $status"
