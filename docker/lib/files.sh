# Directories and files, written completely or not at all. Sourced.

# make_directories MODE PATH...: creates directories and their parents, and sets the mode of existing ones too.
make_directories() {
  local mode=$1
  shift
  if ! mkdir -p "$@" || ! chmod "$mode" "$@"; then fail "$EXIT_CANT_CREATE" "cannot create the directory $*"; fi
}

# write_file MODE PATH TEXT: replaces PATH atomically, so that no reader sees a partial file.
write_file() {
  local new=$2.$$.new mask
  mask=$(umask)
  umask 077
  printf '%s\n' "$3" >"$new" || fail "$EXIT_CANT_CREATE" "cannot write $new"
  umask "$mask"
  if ! { [[ $1 == 600 ]] || chmod "$1" "$new"; } || ! mv -f "$new" "$2"; then
    rm -f "$new"
    fail "$EXIT_CANT_CREATE" "cannot write $2"
  fi
}
