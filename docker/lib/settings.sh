# Reads the settings from the environment, checks them, and sets the variables that the other parts use. Sourced.

# read_settings: sets root, home, run_directory, host_directory, provider, host_name, lease_seconds, idle_seconds,
# max_age_seconds, watchdog_interval, busy_percent, user_tags, ssh_port, ssh_address.
read_settings() {
  root=${MNGR_ROOT-}
  root=${root%/}
  check_path MNGR_ROOT "$root"
  host_directory=${MNGR_HOST_DIR:-/mngr}
  host_directory=${host_directory%/}
  check_path MNGR_HOST_DIR "${host_directory:-/.}"
  host_directory=$root$host_directory
  home=$root/root
  run_directory=$root/run/mngr

  provider=${MNGR_PROVIDER:-fargate}
  check_name MNGR_PROVIDER "$provider"
  host_name=${MNGR_HOST_NAME-}
  if [[ -z $host_name ]]; then host_name=$(default_host_name); fi
  check_name MNGR_HOST_NAME "$host_name"

  lease_seconds=${MNGR_BOOT_LEASE_SECONDS:-600}
  check_number MNGR_BOOT_LEASE_SECONDS "$lease_seconds" 0 604800
  idle_seconds=${MNGR_IDLE_TIMEOUT_SECONDS:-3600}
  check_number MNGR_IDLE_TIMEOUT_SECONDS "$idle_seconds" 0 999999999
  max_age_seconds=${MNGR_MAX_HOST_AGE_SECONDS:-}
  if [[ -n $max_age_seconds ]]; then check_number MNGR_MAX_HOST_AGE_SECONDS "$max_age_seconds" 1 999999999; fi
  watchdog_interval=${MNGR_WATCHDOG_INTERVAL_SECONDS:-15}
  check_number MNGR_WATCHDOG_INTERVAL_SECONDS "$watchdog_interval" 1 3600
  busy_percent=${MNGR_WATCHDOG_BUSY_PERCENT:-5}
  check_number MNGR_WATCHDOG_BUSY_PERCENT "$busy_percent" 1 100000
  user_tags=${MNGR_USER_TAGS:-'{}'}

  ssh_port=${MNGR_SSH_PORT:-22}
  check_number MNGR_SSH_PORT "$ssh_port" 1 65535
  ssh_address=${MNGR_SSH_LISTEN_ADDRESS:-}
  if [[ -n $ssh_address && ! $ssh_address =~ ^[0-9a-fA-F.:]+$ ]]; then
    fail "$EXIT_SETTING" "MNGR_SSH_LISTEN_ADDRESS is not an IP address: $(shown "$ssh_address")"
  fi
}

# is_container: true in the image, false if MNGR_ROOT replaces the root of the file system.
is_container() {
  [[ -z $root ]]
}

# The machine's name without its domain, with what mngr doesn't allow in a host name replaced.
default_host_name() {
  local name=${HOSTNAME%%.*}
  name=${name//[!A-Za-z0-9_-]/-}
  while [[ $name == [-_]* ]]; do name=${name#?}; done
  name=${name:0:63}
  while [[ $name == *[-_] ]]; do name=${name%?}; done
  printf '%s' "${name:-host}"
}

# check_path NAME VALUE: must be empty or absolute, with characters that need no quoting in sshd_config or JSON.
check_path() {
  local allowed='^(/[A-Za-z0-9 ._+@~,=-]+)*$'
  if [[ ! $2 =~ $allowed || $2/ == */../* || $2/ == */./* ]]; then
    fail "$EXIT_SETTING" "$1 must be an absolute path of letters, digits, spaces and ._+@~,=-, not $(shown "$2")"
  fi
}

# check_name NAME VALUE: mngr's rule for host names, which are parts of ECS's startedBy and of tmux session names.
check_name() {
  local allowed='^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$'
  if [[ ! $2 =~ $allowed || ${#2} -gt 63 ]]; then
    fail "$EXIT_SETTING" "$1 must be 1 to 63 letters, digits, - and _, and begin and end with a letter or digit, not $(shown "$2")"
  fi
}

# check_number NAME VALUE MIN MAX: a decimal number without leading zeros.
check_number() {
  if [[ ! $2 =~ ^(0|[1-9][0-9]{0,9})$ ]] || (($2 < $3 || $2 > $4)); then
    fail "$EXIT_SETTING" "$1 must be a whole number from $3 to $4, not $(shown "$2")"
  fi
}

# shown VALUE: prints a value so that it is safe in one log line.
shown() {
  local text=${1:0:80}
  printf "'%s'" "${text//[![:print:]]/?}"
}
