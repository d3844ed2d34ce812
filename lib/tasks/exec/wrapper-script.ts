import { scriptText } from './script-text';

/**
 * The POSIX shell script that runs a command in a container and reports on it, line by line, over the one terminal that ECS
 * Exec gives. A terminal mixes stdout and stderr, changes bytes and has no exit code; these lines have none of that.
 *
 * Arguments: marker, tag, seconds until the command is ended (empty: never), `v` where variables follow (else empty),
 * folder (empty: the container's own), then the command. It needs `stty` and one of `base64`, `od` and `hexdump`, and uses
 * `dd`, `setsid` and `sleep` where they are there.
 *
 * It prints (MARKER and TAG as given; `X` is `o` for stdout and `e` for stderr), each with `;` at its end:
 * - `MARKER n`: there is no `stty` or no encoder, so nothing was run.
 * - `MARKER s CI`: ready. C: lines carry `b` base64 or `x` hex digits. I: it takes input as `b` base64 or `p` octal escapes
 *   of printf.
 * - `TAG X…`: a piece of the output. `TAG X. N`: its end, after N such lines.
 * - `MARKER x N` or `MARKER x N s`: the command ended with status N; `s`: because of a signal.
 * - `MARKER a`: the last batch of input has been taken. `MARKER z`: the command takes no more input.
 *
 * It takes the lines of `input-lines.ts`.
 *
 * File descriptors: 3 the terminal, 4 the command's stderr, 6 the guard, 7 the command's stdout. The guard ends the command
 * when the session ends first: by then every other process here has had its SIGHUP, and the guard's input ends. `setsid`
 * gives the command a process group of its own and no terminal that it could mistake for the user's.
 */
const SOURCE = String.raw`
_m=$1 _t=$2 _l=$3 _d=$5 _v=
exec 3>&1
stty raw -echo 2>/dev/null || { echo "$_m n;"; exit 125; }
case $(echo A | base64 2>/dev/null) in
QQo=) _c=b; _enc() { base64; } ;;
*)
  _c=x
  case $(echo A | od -An -v -tx1 2>/dev/null) in
  *41*0a*) _enc() { od -An -v -tx1; } ;;
  *)
    case $(echo A | hexdump -v -e "16/1 \"%02x\" \"\n\"" 2>/dev/null) in
    410a*) _enc() { hexdump -v -e "16/1 \"%02x\" \"\n\""; } ;;
    *) echo "$_m n;"; exit 125 ;;
    esac ;;
  esac ;;
esac
case $(echo QQ== | base64 -d 2>/dev/null) in
A) _i=b; _dec() { echo "$1" | base64 -d; } ;;
*) _i=p; _dec() { (printf "$1"); } ;;
esac
_sh=$(command -v sh) _g=$(command -v setsid)
case $(echo A | dd bs=9 count=1 2>/dev/null) in
A)
  _out() {
    IFS="
" _n=0
    while _x=$(dd bs=24576 count=1 2>/dev/null | _enc); [ -n "$_x" ]; do
      for _y in $_x; do echo "$_t$1$_y;"; _n=$((_n + 1)); done
    done
    echo "$_t$1. $_n;"
  } ;;
*)
  _out() {
    _enc | {
      _n=0
      while IFS= read -r _y || [ -n "$_y" ]; do echo "$_t$1$_y;"; _n=$((_n + 1)); done
      echo "$_t$1. $_n;"
    }
  } ;;
esac
_end() {
  if [ -n "$_g" ]; then kill "-$1" "-$_p"; return; fi
  _k=" $_p " _w=1
  while [ -n "$_w" ]; do
    _w= _s=$1
    for _f in /proc/[0-9]*/stat; do
      read -r _x <"$_f" || continue
      _y=${'$'}{_x%% *}
      case $_k in *" $_y "*) continue ;; esac
      set -- ${'$'}{_x##*)}
      case $_k in *" $2 "*) _k="$_k$_y " _w=1 ;; esac
    done
    set -- "$_s"
  done
  kill "-$1" $_k
}
_limit() {
  exec 3>&- >/dev/null
  _n=$_l
  for _z in TERM KILL; do
    sleep "$_n" & _s=$!
    trap "kill $_s; exit" USR1
    wait "$_s" || exit
    _end "$_z"
    _n=5
  done
}
_guard() {
  trap "" HUP INT QUIT TERM
  exec 2>/dev/null
  _p= _q=
  while read -r _a _b; do
    case $_a in
    p) _p=$_b; if [ -n "$_l" ]; then _limit & _q=$!; fi ;;
    k) [ -z "$_p" ] || _end TERM ;;
    K) [ -z "$_p" ] || _end KILL ;;
    x) _p=; [ -z "$_q" ] || kill -USR1 "$_q" ;;
    esac
  done
  [ -z "$_q" ] || kill -USR1 "$_q"
  if [ -n "$_p" ]; then _end TERM; sleep 2 && _end KILL; fi
}
_read() {
  _a=
  while read -r _x; do
    case $_x in
    d*) _a=$_a${'$'}{_x#d} ;;
    .)
      wait
      { if _dec "$_a"; then echo "$_m a;" >&3; else echo "$_m z;" >&3; fi; } 2>/dev/null &
      _a= ;;
    e) wait; exec >&- ;;
    k | K) echo "$_x" >&6 ;;
    q) exit ;;
    esac
  done
}
_in="echo p \$\$ >&6; exec 6>&-; [ -z \"\$1\" ] || cd -- \"\$1\" >/dev/null || exit 126; shift; exec \"\$@\""
_run() {
  exec 7>&1
  eval "$_v"
  _s=$({
    (exec $_g "$_sh" -c "$_in" sh "$_d" "$@" >&7 2>&4 3>&- 4>&- 7>&-)
    echo "$?"
  } 2>&1)
  echo x >&6
  set -- $_s
  if [ $# -gt 1 ]; then _f=" s"; else _f=; fi
  for _s; do :; done
  echo "$_m x $_s$_f;" >&3
}
echo "$_m s $_c$_i;"
if [ -n "$4" ]; then
  while read -r _x && [ "$_x" != g ]; do
    case $_x in v*) _v=$_v${'$'}{_x#v} ;; esac
  done
  _v=$(printf "$_v")
fi
shift 5
{ _read | { _run "$@" 4>&8 8>&- | _out o >&3 4>&- 6>&- 8>&-; } 8>&1 | _out e >&3 6>&-; } 6>&1 >&3 | _guard
`;

export const WRAPPER_SCRIPT = scriptText(SOURCE);
