import type { Credentials } from './git-url';

/** For every git of ours: no prompt, no helper programs, nobody else's ownership in the way. */
export const GIT_ENV = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'http:https:ssh:git:file',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_PAGER: 'cat',
  LC_ALL: 'C.UTF-8',
} as const;

/** Options before the subcommand. No maintenance in the background, which would outlive the command. */
const OPTIONS = [
  ['-c', 'protocol.ext.allow=never'],
  ['-c', 'safe.directory=*'],
  ['-c', 'gc.auto=0'],
  ['-c', 'maintenance.auto=false'],
  ['-c', 'core.quotePath=false'],
].flat();

/** A program with arguments, for the engine. The secret is what the program reads once from descriptor 9. */
export interface GitCommand {
  readonly argv: readonly string[];
  readonly secret?: string;
}

export const git = (...args: readonly string[]): GitCommand => ({ argv: ['git', ...OPTIONS, ...args] });

/**
 * Answers git's question for credentials with a line each from descriptor 8. Nothing of a request is in this text, and the
 * secret is in no variable, argument or file.
 */
const HELPER =
  '!f() { test "$1" = get || return 0; IFS= read -r u <&8 && IFS= read -r p <&8 && printf "username=%s\\npassword=%s\\n" "$u" "$p"; }; f';

/**
 * Git asks several times (a redirect, each submodule), but descriptor 9 can be read once: the shell keeps what it read, and
 * writes it into a pipe for as long as git lives, with the builtin `printf`.
 */
const WITH_SECRET = [
  'IFS= read -r u <&9 && IFS= read -r p <&9 || exit 125',
  'exec 9<&-',
  '{ trap "" PIPE; while printf "%s\\n%s\\n" "$u" "$p" 2>/dev/null; do :; done; } |',
  '{ exec 8<&0 </dev/null; unset u p; exec "$@"; }',
].join('\n');

/**
 * A command of `git()` with credentials. They are shown to the given origin alone, where there is one: not to the host of a
 * submodule. Helpers that are configured in the sandbox don't get to store them.
 */
export function withCredentials(command: GitCommand, credentials: Credentials, origin: string | undefined): GitCommand {
  const [program = 'git', ...args] = command.argv;
  const name = origin === undefined ? 'credential.helper' : `credential.${origin}.helper`;
  const helper = ['-c', 'credential.helper=', '-c', `${name}=${HELPER}`];
  return {
    argv: ['sh', '-c', WITH_SECRET, 'git-with-credentials', program, ...helper, ...args],
    secret: `${credentials.username}\n${credentials.password}\n`,
  };
}

/** Names for author and committer where neither the request nor the sandbox has any: git refuses to commit without. */
const IDENTITY = [
  'n=$(git config user.name); e=$(git config user.email)',
  'export GIT_COMMITTER_NAME="${n:-sandbox}" GIT_COMMITTER_EMAIL="${e:-sandbox@localhost}"',
  'export GIT_AUTHOR_NAME="${GIT_AUTHOR_NAME:-$GIT_COMMITTER_NAME}" GIT_AUTHOR_EMAIL="${GIT_AUTHOR_EMAIL:-$GIT_COMMITTER_EMAIL}"',
].join('\n');

/** A git command that may commit, with an identity in any case. */
export const withIdentity = ({ argv, secret }: GitCommand): GitCommand => ({
  secret,
  argv: ['sh', '-c', `${IDENTITY}\nexec "$@"`, 'git-with-identity', ...argv],
});

/** `git add` of the paths, then `git commit`; the files are the last arguments, the first is the message. */
export const commitCommand = (message: string, files: readonly string[], allowEmpty: boolean): GitCommand => ({
  argv: [
    'sh',
    '-c',
    [
      IDENTITY,
      'm=$1 x=$2; shift 2',
      `git ${OPTIONS_TEXT} add -A -- "$@" || exit`,
      `exec git ${OPTIONS_TEXT} commit $x -m "$m"`,
    ].join('\n'),
    'git-commit',
    message,
    allowEmpty ? '--allow-empty' : '--no-allow-empty',
    ...files,
  ],
});

const OPTIONS_TEXT = OPTIONS.map((option) => (option === '-c' ? option : `'${option}'`)).join(' ');
