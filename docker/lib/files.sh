# Directories and files, written whole or not at all. Sourced.

# make_directory MODE PATH: with its parents.
make_directory() {
  if ! mkdir -p "$2" || ! chmod "$1" "$2"; then fail "$EXIT_CANT_CREATE" "cannot make the directory $2"; fi
}

# write_file MODE PATH TEXT: replaces PATH in one step, so that no reader sees a part of it.
write_file() {
  local new=$2.$$.new
  if ! (umask 077 && printf '%s\n' "$3" >"$new") || ! chmod "$1" "$new" || ! mv -f "$new" "$2"; then
    rm -f "$new"
    fail "$EXIT_CANT_CREATE" "cannot write $2"
  fi
}
