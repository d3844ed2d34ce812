import { scriptText } from '../exec/script-text';

/**
 * The two ends of a copy in a container, as POSIX shell scripts: `cp` needs neither `tar` nor a shell other than `sh` there.
 * They run with all bytes of stdin and stdout as they are. Records end with a zero byte; a path is relative to what is copied,
 * which is itself the empty path.
 *
 * Both begin with `! no-TOOL` where a program is missing, and with `= ALGORITHM` otherwise.
 */
const PREAMBLE = String.raw`
export LC_ALL=C
_fail() { printf '! %s\0' "$1"; exit 0; }
_p=$1
case $_p in "~") _p=${'$'}{HOME:-/} ;; "~/"*) _p=${'$'}{HOME:-}/${'$'}{_p#"~/"} ;; esac
case $_p in /*) ;; *) _p=./$_p ;; esac
_need() { for _x; do command -v "$_x" >/dev/null 2>&1 || _fail "no-$_x"; done; }
if command -v sha256sum >/dev/null 2>&1; then _sum=sha256sum; else _need md5sum; _sum=md5sum; fi
`;

/**
 * Sends a file or a folder. Argument: its path.
 *
 * First a list: `d MODE PATH`, `f MODE SIZE PATH`, `l PATH` and a record with the link's target, `o PATH` for what is none of
 * them, `n PATH` for a folder that can't be read; `.` ends it. MODE is as `ls` prints it. Then each file: `c SIZE PATH`, the
 * bytes, and a record with the checksum of the file's first SIZE bytes, or `u PATH` where it can't be read; `.` is the end. A
 * file that grows is cut off. One that gets shorter is filled up with zeros, which the checksum shows.
 */
const SEND = String.raw`${PREAMBLE}
_need cat head ls wc readlink
_look() { set -f; set -- $(ls -ldnL "$1" 2>/dev/null); set +f; _m=$1 _s=$5; }
_list() {
  if [ -d "$1" ]; then
    [ -r "$1" ] && [ -x "$1" ] || { printf 'n %s\0' "$2"; return; }
    _look "$1"; printf 'd %s %s\0' "$_m" "$2"
    (_walk _list "$1" "$2")
  elif [ -f "$1" ]; then _look "$1"; printf 'f %s %s %s\0' "$_m" "$_s" "$2"
  elif [ -e "$1" ]; then printf 'o %s\0' "$2"
  fi
}
_send() {
  if [ -d "$1" ]; then (_walk _send "$1" "$2"); return; fi
  [ -f "$1" ] || return
  [ -r "$1" ] || { printf 'u %s\0' "$2"; return; }
  _look "$1"
  if [ "$_s" = 0 ]; then _s=$(wc -c <"$1" 2>/dev/null); _s=$((_s + 0)); fi
  printf 'c %s %s\0' "$_s" "$2"
  if [ "$_s" = 0 ]; then _h=$($_sum </dev/null)
  else
    (cat "$1"; exec cat /dev/zero) 2>/dev/null | head -c "$_s"
    _h=$(head -c "$_s" "$1" 2>/dev/null | $_sum)
  fi
  printf '%s\0' "${'$'}{_h%% *}"
}
_walk() {
  _do=$1 _in=$2 _at=$3
  case $_at in ?*) _at=$_at/ ;; esac
  for _f in "$_in"/* "$_in"/.[!.]* "$_in"/..?*; do
    if [ -L "$_f" ]; then
      if [ "$_do" = _list ]; then _t=$(readlink "$_f"; echo .); printf 'l %s\0%s\0' "$_at${'$'}{_f##*/}" "${'$'}{_t%??}"; fi
    else "$_do" "$_f" "$_at${'$'}{_f##*/}"
    fi
  done
}
[ -e "$_p" ] || _fail missing
[ -r "$_p" ] || _fail denied
[ -d "$_p" ] || [ -f "$_p" ] || _fail other
printf '= %s\0' "${'$'}{_sum%sum}"
_list "$_p" ""
printf '.\0'
_send "$_p" ""
printf '.\0'
`;

/**
 * Receives a file or a folder. Arguments: the path, the name that it gets in a folder of that path, `d` or `f`.
 *
 * Takes lines of words, each followed by a line with a path, where \\ stands for a backslash and \n for a new line:
 * `d` a folder; `f MODE SIZE`, then the bytes and a line with their checksum, or `-` where they aren't to be used; `l`, then a
 * line with the link's target; `m MODE` the mode of a folder; `.` the end. It answers each with a record: `ok`, `new` for a
 * folder that it has made, or `no WHY`. A file takes its place when its checksum is right; one that is there keeps its owner.
 * When it is ended, the signal goes to the whole process group, and nobody reads any more what the shell says about it on stderr:
 * what cleans up must die of neither.
 */
const RECEIVE = String.raw`${PREAMBLE}
_need cat dd chmod mkdir mv rm ln
umask 077
if [ "$(printf ab | dd bs=2 count=1 iflag=fullblock 2>/dev/null)" = ab ]; then
  _take() {
    [ "$1" -lt 65536 ] || dd bs=65536 count="$(($1 / 65536))" iflag=fullblock 2>/dev/null
    [ "$(($1 % 65536))" = 0 ] || dd bs="$(($1 % 65536))" count=1 iflag=fullblock 2>/dev/null
  }
else
  _take() { [ "$1" = 0 ] || dd bs=1 count="$1" 2>/dev/null; }
fi
_line() {
  IFS= read -r _l || exit 1
  case $_l in *\\*) _l=$(printf '%b.' "$_l"); _l=${'$'}{_l%.} ;; esac
}
_tell() { if [ "$1" = 0 ]; then printf '%s\0' "$3"; else printf 'no %s\0' "$2"; fi; }
_place() {
  if [ -d "$2" ]; then echo "there is a folder of that name"; return 1; fi
  if [ -f "$2" ]; then cat "$1" >"$2" && chmod "$3" "$2"
  elif [ -e "$2" ]; then cat "$1" >"$2"
  else chmod "$3" "$1" && mv -f "$1" "$2"
  fi
}
if [ -d "$_p" ]; then _r=${'$'}{_p%/}/$2
else
  [ "$3" = f ] || [ ! -e "$_p" ] || _fail file
  case $3$_p in f*/) _fail no-folder ;; esac
  _r=$_p
  while case $_r in ?*/) ;; *) false ;; esac; do _r=${'$'}{_r%/}; done
fi
_t=
_clean() { trap "" HUP INT TERM PIPE; [ -z "$_t" ] || rm -f "$_t"; }
trap _clean EXIT
trap "_clean; exit 143" HUP INT TERM PIPE
printf '= %s\0' "${'$'}{_sum%sum}"
while IFS= read -r _h && [ "$_h" != . ]; do
  _line
  case $_l in "") _q=$_r ;; *) _q=$_r/$_l ;; esac
  set -- $_h
  case $1 in
  d)
    if [ -d "$_q" ]; then printf 'ok\0'
    else _w=$(mkdir -m 700 "$_q" 2>&1); _tell "$?" "$_w" new
    fi ;;
  m) _w=$(chmod "$2" "$_q" 2>&1); _tell "$?" "$_w" ok ;;
  l)
    _line
    if [ -d "$_q" ] && [ ! -L "$_q" ]; then printf 'no there is a folder of that name\0'
    else _w=$( (rm -f "$_q" && ln -s -- "$_l" "$_q") 2>&1); _tell "$?" "$_w" ok
    fi ;;
  f)
    _t=${'$'}{_q%/*}/.mngr-fargate-$$
    _w=$(_take "$3" | { { rm -f "$_t" && cat >"$_t"; } 2>&1 || { cat >/dev/null; exit 1; }; })
    _e=$?
    _line
    if [ "$_e" = 0 ]; then
      _s=$($_sum <"$_t")
      if [ "$_l" = - ]; then _e=1 _w="it changed while it was copied"
      elif [ "${'$'}{_s%% *}" != "$_l" ]; then _e=1 _w="it was damaged on its way"
      else _w=$(_place "$_t" "$_q" "$2" 2>&1); _e=$?
      fi
    fi
    rm -f "$_t"
    _t=
    _tell "$_e" "$_w" ok ;;
  esac
done
`;

export const SEND_SCRIPT = scriptText(SEND);
export const RECEIVE_SCRIPT = scriptText(RECEIVE);
