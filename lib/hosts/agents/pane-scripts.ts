import { SESSION_PREFIX } from '../../contract/agent-session';
import { shellQuote } from '../../ssh';

/** Name of the first window of an agent's session. */
export const AGENT_WINDOW = 'agent';
/** Options of the pane that setup-script starts a command in: what the command is, and how it ended. */
export const COMMAND_OPTION = '@mngr_command';
export const EXIT_OPTION = '@mngr_exit';

/** Exit codes of the scripts below. */
export const NO_SESSION = 3;
export const GUARD_FAILED = 4;

/** What stands between the parts of an observation. */
export const PART = '--mngr-part--';

/** In the order of `PANE_FIELDS`; the last two are the pane's options. */
export const PANE_FIELDS = [
  'pane_id',
  'pane_dead',
  'pane_in_mode',
  'pane_input_off',
  'cursor_flag',
  'cursor_x',
  'cursor_y',
  'pane_pid',
  'pane_tty',
  'session_name',
  COMMAND_OPTION,
  EXIT_OPTION,
] as const;

/**
 * Bytes that wait in a terminal until its program reads them: FIONREAD, in whole lines where the terminal is in line mode.
 * The number of the request is that of Linux, else that of the BSDs. Perl is a part of every Debian.
 */
const PENDING = `perl -e 'use Fcntl; sysopen(T, $ARGV[0], O_RDONLY|O_NOCTTY|O_NONBLOCK) or exit 1; my $n = pack("i", 0); ioctl(T, $^O eq "linux" ? 0x541B : 0x4004667F, $n) or exit 1; print unpack("i", $n)' "$tty" 2>/dev/null`;

/** Throws away what waits: TCFLSH with TCIFLUSH. */
const DISCARD = `perl -e 'use Fcntl; sysopen(T, $ARGV[0], O_RDONLY|O_NOCTTY|O_NONBLOCK) or exit 1; $^O eq "linux" or exit 1; ioctl(T, 0x540B, 0) or exit 1' "$tty" 2>/dev/null`;

/** Prints all that is to be known of the pane `$pane`. */
const OBSERVE = [
  `facts=$(tmux -u display-message -p -t "$pane" '${PANE_FIELDS.map((field) => `#{${field}}`).join('|')}') || exit ${NO_SESSION}`,
  `tty=$(printf %s "$facts" | cut -d '|' -f ${PANE_FIELDS.indexOf('pane_tty') + 1})`,
  `printf '%s\\n${PART}\\n' "$facts"`,
  `LC_ALL=C ps -o pid= -o ppid= -o pgid= -o tpgid= -o stat= -o args= -t "\${tty#/dev/}" 2>/dev/null | cut -c 1-400`,
  `echo '${PART}'`,
  // What each process waits for in the kernel, and its processor time so far in clock ticks: after the name in brackets
  // the 12th to 15th field. Linux alone tells these.
  `for process in $(ps -o pid= -t "\${tty#/dev/}" 2>/dev/null); do printf '%s %s ' "$process" "$(cat "/proc/$process/wchan" 2>/dev/null)"; sed 's/.*) //' "/proc/$process/stat" 2>/dev/null | cut -d ' ' -f 12-15; done`,
  `echo '${PART}'`,
  '{ LC_ALL=C stty -a -F "$tty" || LC_ALL=C stty -a -f "$tty"; } 2>/dev/null',
  `echo '${PART}'`,
  PENDING,
  `printf '\\n${PART}\\n'`,
  'tmux -u capture-pane -e -p -t "$pane"',
].join('\n');

/**
 * Finds the pane of an agent and observes it. The pane is the one that setup-script has marked, else the first one of the
 * window that mngr names so, else the session's first. With `anySession` the only agent's session will do.
 */
export function observeSession(session: string, anySession: boolean): string {
  const panes = `tmux -u list-panes -s -t "=$session:" -F '#{pane_id}'`;
  // A renamed host's session has the host's first name: without an agent's name any only session will do.
  const fallback = anySession
    ? `only=$(tmux list-sessions -F '#{session_name}' 2>/dev/null | grep '^${SESSION_PREFIX}'); [ "$(printf '%s\\n' "$only" | grep -c .)" = 1 ] && session=$only`
    : ':';
  return [
    `session=${shellQuote(session)}`,
    // Another failure of tmux says nothing about sessions.
    `answer=$(LC_ALL=C.UTF-8 tmux has-session -t "=$session" 2>&1) || case $answer in *"can't find session"* | *'no server running'* | *'No such file or directory'*) ${fallback} ;; *) printf '%s\\n' "$answer" >&2; exit 1 ;; esac`,
    `tmux has-session -t "=$session" 2>/dev/null || { tmux list-sessions -F '#{session_name}' 2>/dev/null; exit ${NO_SESSION}; }`,
    `pane=$({ ${panes} -f '#{${COMMAND_OPTION}}'; ${panes} -f '#{==:#{window_name},${AGENT_WINDOW}}'; ${panes}; } 2>/dev/null | head -n 1)`,
    OBSERVE,
  ].join('\n');
}

export const observePane = (pane: string): string => [`pane=${shellQuote(pane)}`, OBSERVE].join('\n');

/** What must still hold when something is typed. */
export interface Guard {
  /** The foreground process group: who has the keyboard. */
  readonly group: number;
  /** The command's exit code, '' while it runs: the shell that is left has the same group. */
  readonly exit: string;
  /** Rows that are still on the screen. */
  readonly rows: readonly string[];
}

/** The pane's own terminal is asked once more right before something is typed, since the answer before is old by then. */
function guarded(pane: string, guard: Guard | null): string[] {
  const start = [`pane=${shellQuote(pane)}`, `tmux copy-mode -q -t "$pane" || exit ${NO_SESSION}`];
  if (guard === null) return start;
  const rows = guard.rows.map(
    (row) => `printf '%s\\n' "$screen" | grep -qxF -e ${shellQuote(row.replace(/ +$/, ''))} || exit ${GUARD_FAILED}`,
  );
  return [
    ...start,
    `[ "$(ps -o tpgid= -p "$(tmux display-message -p -t "$pane" '#{pane_pid}')" | tr -d ' ')" = ${guard.group} ] || exit ${GUARD_FAILED}`,
    `[ "$(tmux display-message -p -t "$pane" '#{${EXIT_OPTION}}')" = ${shellQuote(guard.exit)} ] || exit ${GUARD_FAILED}`,
    ...(rows.length === 0 ? [] : [`screen=$(tmux -u capture-pane -p -t "$pane" | sed 's/ *$//')`, ...rows]),
  ];
}

/** Pastes standard input, as a bracketed paste where the program has asked for those, and observes the pane. */
export function pasteInto(pane: string, buffer: string, guard: Guard | null): string {
  return [
    ...guarded(pane, guard),
    `tmux load-buffer -b ${buffer} - && tmux paste-buffer -d -p -r -b ${buffer} -t "$pane" || exit 1`,
    OBSERVE,
  ].join('\n');
}

/** Presses keys by tmux's names and observes the pane. */
export function pressIn(pane: string, keys: readonly string[], guard: Guard | null): string {
  const press = `tmux send-keys -t "$pane" ${keys.map(shellQuote).join(' ')} || exit 1`;
  return [...guarded(pane, guard), press, OBSERVE].join('\n');
}

/** Throws away what the terminal holds for a program that doesn't read. */
export const discardInput = (tty: string): string => [`tty=${shellQuote(tty)}`, DISCARD].join('\n');
