/** How long a task of `shell` lives. Times are in seconds, counted from the start of its container. */
export interface WatchLimits {
  /** The task ends when nobody has come by then. */
  readonly arriveWithin: number;
  /** The task ends then, whoever is there. */
  readonly maxLifetime: number;
  /** Whether the task goes on without sessions, until `maxLifetime`. */
  readonly keep: boolean;
}

/** Exit code of a watcher whose time is up, as that of timeout(1). */
export const WATCHER_TIME_UP = 124;

/**
 * The main process of a task of `shell`: it ends, and the task with it, once the last session has gone. POSIX sh with
 * built-ins, and /proc. Only `sleep` is a program of its own; without one the loop goes on without a pause.
 *
 * A session is a worker of Session Manager's agent, by its name (the kernel keeps 15 characters of it), or a connection
 * of sshd: a child of another sshd, or `sshd-session` since OpenSSH 9.8. The shell itself has neither name. Two looks
 * in a row must find none, so that one session can follow on another.
 *
 * Arguments: seconds in which somebody must come, seconds of life, `keep` or nothing.
 */
const WATCHER = `
nap=
trap 'if test -n "$nap"; then kill "$nap" 2>/dev/null; fi; exit 143' TERM INT HUP
now() { read -r seconds rest </proc/uptime; seconds=\${seconds%%.*}; }
name_of() { name=; { read -r name <"/proc/$1/comm"; } 2>/dev/null; }
is_session() {
  name_of "$1"
  case $name in
  ssm-session-wor | sshd-session) return 0 ;;
  sshd) ;;
  *) return 1 ;;
  esac
  stat=
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null
  set -- \${stat##*)}
  name_of "\${2:-0}"
  test "$name" = sshd
}
busy() {
  for folder in /proc/[0-9]*; do
    if is_session "\${folder#/proc/}"; then return 0; fi
  done
  return 1
}
now
start=$seconds
came=
away=0
while :; do
  now
  age=$((seconds - start))
  if test "$age" -ge "$2"; then echo "the shell's task ends: it has run for $2 s"; exit ${WATCHER_TIME_UP}; fi
  if busy; then
    came=yes
    away=0
  elif test -z "$came"; then
    if test "$age" -ge "$1" && test -z "$3"; then
      echo "the shell's task ends: nobody came within $1 s"
      exit ${WATCHER_TIME_UP}
    fi
  elif test -z "$3"; then
    away=$((away + 1))
    if test "$away" -ge 2; then echo "the shell's task ends: its last session has gone"; exit 0; fi
  fi
  sleep 1 &
  nap=$!
  wait "$nap"
done
`;

/** What a container starts instead of its image's ENTRYPOINT. */
export const WATCHER_ENTRY_POINT: readonly string[] = ['/bin/sh', '-c'];

/** The command after that. */
export const watcherCommand = ({ arriveWithin, maxLifetime, keep }: WatchLimits): readonly string[] => [
  WATCHER,
  'mngr-fargate-shell',
  String(arriveWithin),
  String(maxLifetime),
  keep ? 'keep' : '',
];
