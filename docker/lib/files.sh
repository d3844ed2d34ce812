# Directories and files, written whole or not at all. Sourced.

# make_directories MODE PATH...: with their parents; directories that are there already get the mode too.
make_directories() {
  local mode=$1
  shift
  if ! mkdir -p "$@" || ! chmod "$mode" "$@"; then fail "$EXIT_CANT_CREATE" "cannot make the directory $*"; fi
}

# write_file MODE PATH TEXT: replaces PATH in one step, so that no reader sees a part of it.
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
