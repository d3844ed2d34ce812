/** One word for a POSIX shell, always in quotes: never a keyword, an option or an assignment. No NUL may be in it. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The variable that all processes of a command have, with its id. */
export const MARK = 'SANDBOX_COMMAND';

/** Names that a shell can take as variables. */
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The signal that makes a shell leave what it is doing: SIGRTMAX-1, which nothing else uses. */
export const ABORT_SIGNAL = 63;

export interface ShellPlaces {
  readonly control: string;
  readonly status: string;
  readonly state: string;
}

/**
 * What a new bash is told first. `__mngr_abort` answers the abort signal: the shell writes its state to a file, says that
 * the command is over, and starts itself anew in the same process, which ends whatever it was doing: a loop, a function, a
 * list. The engine then gives it the state back.
 */
export function bashStart({ control, status, state }: ShellPlaces): string {
  return (
    `shopt -s expand_aliases; __mngr_now=; __mngr_env=; __mngr_return() { builtin return "$1"; }; ` +
    `__mngr_abort() { ` +
    `if [[ -z $__mngr_now ]]; then builtin echo n >${quote(status)}; builtin return 0; fi; ` +
    `builtin unset -v ${MARK} $__mngr_env 2>/dev/null; __mngr_now=; ` +
    `{ builtin declare -p; builtin declare -f; builtin alias -p; builtin shopt -p; builtin trap -p; builtin set +o; } >${quote(state)} 2>/dev/null; builtin echo a >${quote(status)}; ` +
    `builtin exec "$BASH" --norc --noprofile -s <${quote(control)} >/dev/null 2>&1 9<&-; }; ` +
    `builtin trap __mngr_abort ${ABORT_SIGNAL}\n`
  );
}

/** For the shell that has started itself anew. */
export const bashRestore = (places: ShellPlaces): string =>
  `{ builtin . ${quote(places.state)}; } 2>/dev/null; builtin shopt -s expand_aliases; __mngr_now=\n`;

export interface ShellCommand {
  readonly number: number;
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** The exit status of the command before. */
  readonly previous: number;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly secret: string | undefined;
  /** A pipe that a bash gets the most of it from, if it is too long for one write. */
  readonly pipe: string | undefined;
}

/** What a shell is told of a command, and what it is to find in the command's pipe. */
export interface ShellText {
  readonly told: string;
  readonly piped: string;
}

/**
 * One command as text for a shell that reads its program from its pipe. It runs in the shell itself, so that what it
 * changes stays. It says `s NUMBER` when its streams are open, `r NUMBER` if it can't enter its folder, and `e NUMBER STATUS`
 * at its end. Bash reads its program byte by byte, with a call of the kernel for each, so every word here takes time.
 */
export function shellCommandText(command: ShellCommand, places: ShellPlaces, bash: boolean): ShellText {
  const { number, pipe, secret } = command;
  const say = (text: string): string => `${builtinOf(bash)} echo "${text}" >${word(places.status)}`;
  const work = workOf(command, say(`r ${number}`), bash);
  const streams =
    `<${word(command.stdin)} >${word(command.stdout)} 2>${word(command.stderr)}` +
    (secret === undefined ? '' : ` 9<${word(secret)}`);
  const piped = `__mngr_text=;${work}`;
  const told =
    // A line of its own first: after a syntax error in `eval`, bash takes no keyword as the first word of the next line.
    `${pipe === undefined ? ':' : readText(pipe, piped)}\n` +
    `{ ${bash ? `__mngr_now=${number};` : ''}${say(`s ${number}`)};` +
    `${pipe === undefined ? work : 'builtin eval "$__mngr_text"'};} ${streams};` +
    // The status first: everything else would change it.
    `__mngr_last=$?${bash ? ' __mngr_now=' : ''};${say(`e ${number} $__mngr_last`)}\n`;
  return { told, piped };
}

/** What fits into a pipe as a whole or not at all. */
export const SHORT = 4096;

/** Makes a plain sh run a text that is too long for one write. */
export const runFile = (path: string): string => `. ${quote(path)}\n`;

const builtinOf = (bash: boolean): string => (bash ? 'builtin' : 'command');

/** A path as one word, as short as it can be. */
const word = (path: string): string => (/^[\w./-]+$/.test(path) ? path : quote(path));

/** Makes a bash read a text in one go. Only as a whole it counts. */
const readText = (pipe: string, text: string): string =>
  `LC_ALL=C builtin read -rN${Buffer.byteLength(text)} __mngr_text <${word(pipe)} || ` +
  `__mngr_text='builtin echo "LC_ALL is readonly, which a long command line can not be read with" >&2; (exit 1)'`;

/** What runs with the command's streams. */
function workOf(command: ShellCommand, refuse: string, bash: boolean): string {
  const { cwd, previous, env } = command;
  const builtin = builtinOf(bash);
  const run = bash ? bashRun(command) : shRun(command);
  // `||` gives the command the exit status of the one before it, and keeps `set -e` and ERR traps out of that.
  const given = previous === 0 ? run : `__mngr_return ${previous} || ${run}`;
  const names = Object.keys(env).filter((name) => name !== MARK);
  const known = bash ? `__mngr_env=${names.length === 0 ? '' : quote(names.join(' '))};` : '';
  if (cwd === undefined) return known + given;
  return (
    `${known}__mngr_pwd=$PWD; __mngr_old=\${OLDPWD-}; if ${builtin} cd -- ${quote(cwd)} 2>/dev/null; then ${given}; ` +
    `__mngr_status=$?; ${builtin} cd -- "$__mngr_pwd" 2>/dev/null; OLDPWD=$__mngr_old; ` +
    `${bash ? '__mngr_return' : '(exit'} $__mngr_status${bash ? '' : ')'}; else ${refuse}; fi`
  );
}

/** Bash: variables before `eval` hold for it alone, and what it exports stays. */
function bashRun({ text, env }: ShellCommand): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)} `);
  return `${variables.join('')}eval ${quote(text)}`;
}

/** Plain sh: variables before a special builtin stay, so they are taken back. */
function shRun({ text, env }: ShellCommand): string {
  const set = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}; `);
  const names = Object.keys(env).join(' ');
  return `{ ${set.join('')}eval ${quote(text)}; __mngr_last=$?; unset ${names}; (exit $__mngr_last); }`;
}
