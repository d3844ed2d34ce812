import { SESSION_PREFIX } from '../contract/agent-session';

/**
 * A terminal that the host doesn't know (Ghostty's, kitty's, WezTerm's) makes every program on it fail, tmux included, even
 * where it only asks for a session. Those terminals understand what xterm-256color does; COLORTERM says what more they can.
 */
const KNOWN_TERMINAL = `
if command -v infocmp >/dev/null; then
  for TERM in "\${TERM:-dumb}" xterm-256color xterm vt100; do infocmp "$TERM" >/dev/null 2>&1 && break; done
  export TERM
fi`;

/** Whether there is a session. Ends with tmux's own words where tmux fails otherwise: that says nothing about sessions. */
const HAS_SESSION = `
has_session() {
  answer=$(LC_ALL=C.UTF-8 tmux has-session -t "=$1" 2>&1) && return 0
  case $answer in
    *"can't find session"* | *'no server running'* | *'No such file or directory'*) return 1 ;;
  esac
  echo "tmux on this host fails: $answer" >&2
  exit 1
}`;

/**
 * Attaches to a named agent's session and ends with 3 where there is none.
 * `=` makes tmux take the name exactly; without it a name also matches longer ones.
 */
const ATTACH_NAMED = `${KNOWN_TERMINAL}${HAS_SESSION}
has_session "$1" || { echo "no agent session $1 on this host" >&2; exit 3; }
exec tmux attach-session -t "=$1"`;

const SHELL = `${KNOWN_TERMINAL}
exec "\${SHELL:-/bin/sh}" -l`;

/**
 * Attaches to the session of the host's name. A renamed host's session has its first name, so any agent's session will do;
 * where there is none, a login shell.
 */
const ATTACH_OR_SHELL = `${KNOWN_TERMINAL}${HAS_SESSION}
command -v tmux >/dev/null || exec "\${SHELL:-/bin/sh}" -l
session=$1
has_session "$session" ||
  session=$(tmux list-sessions -F '#{session_created} #{session_name}' 2>/dev/null | sort -n | sed -n 's/^[0-9]* \\(${SESSION_PREFIX}.*\\)/\\1/p' | head -n 1)
[ -n "$session" ] && exec tmux attach-session -t "=$session"
exec "\${SHELL:-/bin/sh}" -l`;

const script = (text: string, ...words: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  text.trim(),
  'sh',
  ...words,
];

/** The remote command that puts a terminal into an agent's tmux session. */
export function agentSession(hostName: string, agent: string | undefined): readonly string[] {
  return agent === undefined
    ? script(ATTACH_OR_SHELL, SESSION_PREFIX + hostName)
    : script(ATTACH_NAMED, SESSION_PREFIX + agent);
}

/** The remote command that opens a login shell on a terminal. */
export const loginShell = (): readonly string[] => script(SHELL);

/** The remote command that runs a program on a terminal. */
export const onTerminal = (command: readonly string[]): readonly string[] =>
  script(`${KNOWN_TERMINAL}\nexec "$@"`, ...command);
