/** One word for a POSIX shell, always in quotes: never a keyword, an option or an assignment. No NUL may be in it. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

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
    `builtin unset -v $__mngr_env 2>/dev/null; __mngr_now=; ` +
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
}

/**
 * One command as text for a shell that reads its program from its pipe. It runs in the shell itself, so that what it
 * changes stays. It says `s NUMBER` when its streams are open, `r NUMBER` if it can't enter its folder, and `e NUMBER STATUS`
 * at its end.
 */
export function shellCommandText(command: ShellCommand, places: ShellPlaces, bash: boolean): string {
  const { number, previous, cwd, secret } = command;
  const builtin = bash ? 'builtin' : 'command';
  const say = (text: string): string => `${builtin} echo "${text}" >${quote(places.status)}`;
  const names = Object.keys(command.env);
  const run = bash ? bashRun(command) : shRun(command);
  // `||` gives the command the exit status of the one before it, and keeps `set -e` and ERR traps out of that.
  const given = previous === 0 ? run : `__mngr_return ${previous} || ${run}`;
  const inFolder =
    cwd === undefined
      ? given
      : `__mngr_pwd=$PWD; __mngr_old=\${OLDPWD-}; if ${builtin} cd -- ${quote(cwd)} 2>/dev/null; then ${given}; ` +
        `__mngr_status=$?; ${builtin} cd -- "$__mngr_pwd" 2>/dev/null; OLDPWD=$__mngr_old; ` +
        `${bash ? '__mngr_return' : '(exit'} $__mngr_status${bash ? '' : ')'}; else ${say(`r ${number}`)}; fi`;
  const streams =
    `<${quote(command.stdin)} >${quote(command.stdout)} 2>${quote(command.stderr)}` +
    (secret === undefined ? '' : ` 9<${quote(secret)}`);
  const now = bash ? `__mngr_env=${quote(names.join(' '))}; __mngr_now=${number}; ` : '';
  // The status first: everything else would change it.
  const end = bash ? `__mngr_now= ; ` : '';
  // A line of its own first: after a syntax error in `eval`, bash takes no keyword as the first word of the next line.
  return (
    `:\n{ ${now}${say(`s ${number}`)}; ${inFolder}; } ${streams}; __mngr_last=$?; ${end}` +
    `${say(`e ${number} $__mngr_last`)}\n`
  );
}

/** What fits into a pipe as a whole or not at all. */
export const SHORT = 4096;

/** Makes a shell run a text that is too long for one write: bash reads it from a pipe up to a NUL, sh from a file. */
export const longText = (path: string, bash: boolean): string =>
  bash
    ? `IFS= builtin read -r -d '' __mngr_text <${quote(path)} && builtin eval "$__mngr_text"\n`
    : `. ${quote(path)}\n`;

export const MARK = 'SANDBOX_COMMAND';

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
