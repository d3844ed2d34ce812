# The PATH of login shells, which tmux also starts: the distribution's /etc/profile would replace it. Sourced.

# write_profile: gives login shells the PATH with which this host was started, so that they find the image's programs.
write_profile() {
  local text
  text="# Written at the host's boot.
PATH='${PATH//\'/\'\\\'\'}'
export PATH
# Programs fail on a terminal that the host doesn't know; newer ones understand what xterm-256color does.
if command -v infocmp >/dev/null && ! infocmp \"\${TERM:-dumb}\" >/dev/null 2>&1; then
  export TERM=xterm-256color
fi"
  if is_container; then
    write_file 644 /etc/profile.d/mngr.sh "$text"
  elif [[ ! -e $home/.profile ]]; then
    write_file 644 "$home/.profile" "$text"
  fi
}
