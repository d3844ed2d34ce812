# The setup of a host that no launcher logs in to: its command and its variables. Sourced.

# run_setup: runs MNGR_BOOT_SETUP as an SSH session would. It runs before sshd starts, so a reachable host has been set up.
run_setup() {
  local script=${MNGR_BOOT_SETUP-} user variables=() variable status=0
  if [[ -z $script ]]; then return; fi
  user=$(id -un)
  while IFS= read -r variable; do variables+=("$variable"); done < <(session_variables)
  # In the background, so that this shell handles signals before the script has ended.
  (cd "$home" && exec env -i "HOME=$home" "USER=$user" "LOGNAME=$user" "SHELL=$BASH" "${variables[@]}" sh -c "$script") \
    </dev/null &
  wait "$!" || status=$?
  if ((status != 0)); then fail "$EXIT_SETUP" "the setup script (MNGR_BOOT_SETUP) failed with exit code $status"; fi
}
