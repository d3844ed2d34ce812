import { scriptText } from './script-text';

/**
 * The POSIX shell script that runs a command on the terminal of an ECS Exec session and reports its exit code, which the
 * session itself doesn't.
 *
 * Arguments: marker, seconds until the command is ended (empty: never), `v` where variables follow (else empty), folder
 * (empty: the container's own), then the command. It needs `stty` for variables, and `sleep` and `/proc` for the time limit.
 *
 * It prints, each with `;` at its end:
 * - `MARKER n`: there is no `stty`, so nothing was run.
 * - `MARKER s`: send the variables (`variableLines` of input-lines.ts).
 * - `MARKER g`: what follows is the command's, both ways.
 * - `MARKER x N`: the command ended with status N.
 *
 * Ctrl-C reaches this shell too, which must outlive the command. The limit ends all processes of the terminal's session, since
 * a shell with job control gives each job a group of its own. Once it has begun to do so, the command's end doesn't stop it.
 */
const SOURCE = String.raw`
_m=$1 _l=$2 _v=$3 _d=$4 _q=
if [ -n "$_v" ]; then
  { _y=$(stty -g) && stty raw -echo; } 2>/dev/null || { printf "%s n;" "$_m"; exit 125; }
  printf "%s s;" "$_m"
  _v=
  while read -r _x && [ "$_x" != g ]; do
    case $_x in v*) _v=$_v${'$'}{_x#v} ;; esac
  done
  stty "$_y"
  _v=$(printf "$_v")
fi
_end() {
  for _f in /proc/[0-9]*/stat; do
    read -r _x <"$_f" || continue
    _y=${'$'}{_x%% *}
    set -- "$1" ${'$'}{_x##*)}
    [ "$5" != "$_g" ] || [ "$_y" = "$_o" ] || [ "$_y" = $$ ] || kill "-$1" "$_y"
  done
}
_limit() {
  trap "" HUP INT QUIT TERM
  exec >/dev/null 2>&1
  read -r _o _x </proc/self/stat
  read -r _x </proc/$$/stat
  set -- ${'$'}{_x##*)}
  _g=$4 _n=$_l
  trap 'kill -KILL $!; exit' USR1
  for _z in TERM KILL; do
    sleep "$_n" &
    wait $!
    trap "" USR1
    _end "$_z"
    _n=5
  done
}
if [ -n "$_l" ]; then _limit & _q=$!; fi
shift 4
trap : INT QUIT TERM
printf "%s g;" "$_m"
(
  [ -z "$_d" ] || cd -- "$_d" >/dev/null || exit 126
  eval "$_v"
  exec "$@"
)
_s=$?
[ -z "$_q" ] || kill -USR1 "$_q"
printf "%s x %s;" "$_m" "$_s"
`;

export const TERMINAL_SCRIPT = scriptText(SOURCE);
