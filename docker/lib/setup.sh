# The setup that a launch brings along for a host that nobody logs in to: its command and its variables. Sourced.

# run_setup: runs MNGR_BOOT_SETUP as an SSH session would. Before sshd starts, so that a host that can be reached has been
# set up.
run_setup() {
  local script=${MNGR_BOOT_SETUP-} user variables=() variable status=0
  if [[ -z $script ]]; then return; fi
  user=$(id -un)
  while IFS= read -r variable; do variables+=("$variable"); done < <(session_variables)
  # Beside this shell, so that a signal to it need not wait until the script has ended.
  (cd "$home" && exec env -i "HOME=$home" "USER=$user" "LOGNAME=$user" "SHELL=$BASH" "${variables[@]}" sh -c "$script") \
    </dev/null &
  wait "$!" || status=$?
  if ((status != 0)); then fail "$EXIT_SETUP" "the setup that the host was launched with ended with exit code $status"; fi
}
