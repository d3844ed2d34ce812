# The PATH of login shells, which tmux starts as well: the distribution's /etc/profile sets its own. Sourced.

# write_profile: gives login shells the PATH that this host was started with, and with it the image's programs.
write_profile() {
  local text
  text="# Written at the host's boot.
PATH='${PATH//\'/\'\\\'\'}'
export PATH"
  if is_container; then
    write_file 644 /etc/profile.d/mngr.sh "$text"
  elif [[ ! -e $home/.profile ]]; then
    write_file 644 "$home/.profile" "$text"
  fi
}
