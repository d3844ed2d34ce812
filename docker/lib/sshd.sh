# Configures sshd, without the distribution's configuration, and starts it. Sourced.

# find_sshd: sets sshd to its full path, which sshd needs to re-execute itself.
find_sshd() {
  sshd=$(PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin command -v sshd) ||
    fail "$EXIT_UNAVAILABLE" 'sshd is not installed: install the package openssh-server'
}

# knows_option NAME: whether this sshd has the option; an sshd without it would refuse to start. NAME is in lower case.
knows_option() {
  LC_ALL=C grep -q "$1" "$sshd"
}

# write_sshd_config PROOF
write_sshd_config() {
  sshd_config=$run_directory/sshd_config
  write_file 600 "$sshd_config" "$(sshd_options "$1")"
}

sshd_options() {
  local proof=$1
  printf '%s\n' \
    "Port $ssh_port" \
    "HostKey \"$host_key\"" \
    'PidFile none' \
    'LogLevel VERBOSE' \
    'AuthenticationMethods publickey' \
    'PasswordAuthentication no' \
    'KbdInteractiveAuthentication no' \
    'PermitRootLogin prohibit-password' \
    'PermitUserEnvironment no' \
    'UseDNS no' \
    'PrintMotd no' \
    'PrintLastLog no' \
    'X11Forwarding no' \
    'StreamLocalBindUnlink yes'
  # mngr opens many channels over one connection, and connects from many threads at once.
  printf '%s\n' 'MaxSessions 100' 'MaxStartups 100:30:300' 'LoginGraceTime 30'
  # Frees mngr's host lock two minutes after a client has vanished.
  printf '%s\n' 'ClientAliveInterval 30' 'ClientAliveCountMax 4'
  # LANG and LC_* aren't accepted: clients send their own machine's locale, which is rarely installed here.
  printf '%s\n' 'AcceptEnv COLORTERM' "SetEnv $(session_environment)"
  if [[ -n $ssh_address ]]; then printf '%s\n' "ListenAddress $ssh_address"; fi
  if [[ -n $proof ]]; then printf '%s\n' "VersionAddendum mngr-host-proof=$proof"; fi
  if knows_option debianbanner; then printf '%s\n' 'DebianBanner no'; fi
  # Since OpenSSH 9.8, sshd blocks addresses that connect without logging in, as launchers do while they wait for a host. With
  # key authentication only there is no password to guess, so this protection isn't needed.
  if knows_option persourcepenalties; then printf '%s\n' 'PerSourcePenalties no'; fi
  # A separate program if there is one, because the watchdog tells sessions from sshd's own processes by their names.
  printf '%s\n' "Subsystem sftp $(find_sftp_server)"
  if is_container; then
    printf '%s\n' 'UsePAM no'
  else
    outside_container_options
  fi
}

# Without a container the key gives access to one account, and sessions start in the host's home instead of the account's. Other
# users can't enter that home, so StrictModes' check of the directories above it isn't needed.
outside_container_options() {
  printf '%s\n' \
    'StrictModes no' \
    "AllowUsers $(id -un)" \
    "AuthorizedKeysFile \"$home/.ssh/authorized_keys\"" \
    "UsePAM $(is_locked_account && echo yes || echo no)" \
    "ForceCommand exec bash '$library/session.sh'"
}

# is_locked_account: without PAM, sshd treats a locked password (Ubuntu's default for root) as a locked account.
is_locked_account() {
  awk -F: -v "user=$(id -un)" '$1 == user && $2 ~ /^!/ { locked = 1 } END { exit !locked }' /etc/shadow 2>/dev/null
}

find_sftp_server() {
  local file
  for file in /usr/lib/openssh /usr/libexec /usr/libexec/openssh /usr/lib/ssh; do
    if [[ -x $file/sftp-server ]]; then
      printf '%s' "$file/sftp-server"
      return
    fi
  done
  printf 'internal-sftp'
}

# session_environment: prints the environment of every SSH session, quoted for sshd_config.
session_environment() {
  local variable
  session_variables | while IFS= read -r variable; do printf '"%s" ' "$variable"; done
}

# session_variables: prints the same, one NAME=VALUE per line.
session_variables() {
  local name
  session_variable MNGR_HOST_DIR "$host_directory"
  session_variable MNGR_HOST_ID "$host_id"
  session_variable MNGR_HOST_NAME "$host_name"
  session_variable MNGR_PROVIDER "$provider"
  session_variable MNGR_BOOT_ID "$boot_id"
  session_variable PATH "$PATH"
  session_variable LANG "${LANG:-C.UTF-8}"
  if ! is_container; then
    session_variable MNGR_ROOT "$root"
    session_variable HOME "$home"
    session_variable TMUX_TMPDIR "$root/run"
  fi
  # Agents need these for the task role's credentials, the region and the task's metadata.
  for name in AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_REGION AWS_DEFAULT_REGION ECS_CONTAINER_METADATA_URI_V4; do
    if [[ -n ${!name-} ]]; then session_variable "$name" "${!name}"; fi
  done
}

session_variable() {
  if [[ $2 == *[\"\\]* || $2 =~ [[:cntrl:]] ]]; then
    log "$1 is not passed on to SSH sessions: it contains quotes, backslashes or control characters"
  else
    printf '%s=%s\n' "$1" "$2"
  fi
}

# start_sshd: sets sshd_pid and log_pid. watch_log forwards sshd's log to the container's log.
start_sshd() {
  local pipe=$run_directory/sshd-log
  # sshd's compiled-in directory for privilege separation, even if MNGR_ROOT is set; the machine's own sshd creates it too.
  if ((EUID == 0)) && [[ -d /run && ! -d /run/sshd ]]; then make_directories 755 /run/sshd; fi
  rm -f "$pipe"
  mkfifo -m 600 "$pipe"
  # Both ends are opened here: a reader that opens its end alone waits forever if the writer ends first.
  exec 8<>"$pipe"
  exec 9<"$pipe"
  rm -f "$pipe"
  watch_log <&9 8>&- 9<&- &
  log_pid=$!
  "$sshd" -D -e -f "$sshd_config" 2>&8 8>&- 9<&- &
  sshd_pid=$!
  exec 8>&- 9<&-
}
