import type { Command as CliCommand } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { Command, Sandbox } from '../../../sandbox/client';
import type { CliContext } from '../../context';
import { parseCount } from '../../parse/size';
import type { Runner } from '../../runner';
import { withSandbox } from './connection';
import { runCommand } from './run-command';

interface Folder {
  readonly path?: string;
}

interface Remote extends Folder {
  readonly remote?: string;
  readonly branch?: string;
  readonly username?: string;
  readonly passwordVariable?: string;
}

/** Runs a git command on this program's streams. */
const git = (context: CliContext, id: string, start: (git: Sandbox['git']) => Command): Promise<number> =>
  withSandbox(context, id, (sandbox) => runCommand(context, start(sandbox.git)));

/** A password comes from a variable, and never from an argument, which everybody on the machine can read. */
function credentialsOf({ environment }: CliContext['io'], { username, passwordVariable }: Remote) {
  if (passwordVariable === undefined) {
    if (username === undefined) return undefined;
    throw new MngrFargateError('usage', '--username needs a password', { hint: 'give --password-variable too' });
  }
  const password = environment[passwordVariable];
  if (password) return { username, password };
  throw new MngrFargateError('usage', `the variable ${passwordVariable} is not set in this environment`, {
    hint: `--password-variable takes the name of a variable that holds the password or token`,
  });
}

const count = (text: string | undefined, option: string): number | undefined =>
  text === undefined ? undefined : parseCount(text, option, { least: 1, most: 1_000_000 });

const listOf = (files: readonly string[]): readonly string[] | undefined => (files.length === 0 ? undefined : files);

/** `sandbox git clone`, `commit`, `status`, `diff`, `log`, `branch`, `checkout`, `push` and `pull` */
export function gitCommands(sandbox: CliCommand, runner: Runner): void {
  const group = sandbox.command('git').description('git in a sandbox, with its output and exit code');
  const command = (name: string, description: string): CliCommand =>
    group.command(name).description(description).argument('<sandbox>', 'id of the sandbox');
  const inFolder = (to: CliCommand): CliCommand =>
    to.option('--path <folder>', 'folder of the repository (default: /workspace)');
  const withCredentials = (to: CliCommand): CliCommand =>
    to
      .option('--username <name>', 'user for http and https (default: x-access-token)')
      .option('--password-variable <name>', 'variable here that holds the password or token');

  withCredentials(command('clone', 'clone a repository').argument('<url>', 'where it is'))
    .option('--dest <folder>', 'folder to clone into (default: /workspace)')
    .option('--branch <name>', 'branch or tag to check out')
    .option('--depth <number>', 'so many commits only')
    .option('--submodules', 'clone its submodules too')
    .action(
      runner.action(
        (
          context,
          id: string,
          url: string,
          options: Remote & { readonly dest?: string; readonly depth?: string; readonly submodules?: boolean },
        ) => {
          const { dest, branch, submodules } = options;
          const depth = count(options.depth, '--depth');
          const credentials = credentialsOf(context.io, options);
          return git(context, id, (git) => git.clone({ url, dest, branch, depth, submodules, credentials }));
        },
      ),
    );
  inFolder(command('commit', 'commit what has changed, or the files named; needs no configured identity'))
    .argument('[file...]', 'files to commit (default: all that has changed)')
    .requiredOption('-m, --message <text>', 'message of the commit')
    .option('--allow-empty', 'commit even if nothing has changed')
    .action(
      runner.action(
        (
          context,
          id: string,
          files: string[],
          { path, message, allowEmpty }: Folder & { readonly message: string; readonly allowEmpty?: boolean },
        ) => git(context, id, (git) => git.commit({ path, message, allowEmpty, files: listOf(files) })),
      ),
    );
  inFolder(command('status', 'print the state of the folder, as `git status --porcelain=v2`')).action(
    runner.action((context, id: string, { path }: Folder) => git(context, id, (git) => git.status({ path }))),
  );
  inFolder(command('diff', 'print what has changed'))
    .argument('[file...]', 'of these files only')
    .option('--staged', 'what is staged')
    .option('--ref <commit>', 'against a commit, or between two: A..B')
    .option('--stat', 'counts of lines only')
    .action(
      runner.action(
        (
          context,
          id: string,
          files: string[],
          options: Folder & { readonly staged?: boolean; readonly ref?: string; readonly stat?: boolean },
        ) => {
          const { path, staged, ref, stat } = options;
          return git(context, id, (git) => git.diff({ path, staged, ref, stat, files: listOf(files) }));
        },
      ),
    );
  inFolder(command('log', 'print commits'))
    .argument('[ref]', 'a branch, tag or commit to start from')
    .option('--limit <number>', 'so many commits (default: 50)')
    .action(
      runner.action((context, id: string, ref: string | undefined, options: Folder & { readonly limit?: string }) => {
        const limit = count(options.limit, '--limit');
        return git(context, id, (git) => git.log({ path: options.path, ref, limit }));
      }),
    );
  inFolder(command('branch', 'list branches, or make or delete one'))
    .argument('[name]', 'the branch to make or delete')
    .option('--from <commit>', 'where a new branch starts')
    .option('--delete', 'delete it')
    .option('--force', 'even if its commits are nowhere else')
    .action(
      runner.action(
        (
          context,
          id: string,
          name: string | undefined,
          options: Folder & { readonly from?: string; readonly delete?: boolean; readonly force?: boolean },
        ) => {
          const { path, from, delete: remove, force } = options;
          return git(context, id, (git) => git.branch({ path, name, from, delete: remove, force }));
        },
      ),
    );
  inFolder(command('checkout', 'change to a branch, tag or commit'))
    .argument('<ref>', 'where to')
    .option('--create', 'make the branch')
    .action(
      runner.action((context, id: string, ref: string, { path, create }: Folder & { readonly create?: boolean }) =>
        git(context, id, (git) => git.checkout({ path, ref, create })),
      ),
    );
  const remote = (name: string, description: string): CliCommand =>
    withCredentials(inFolder(command(name, description)))
      .option('--remote <name>', 'name or URL of the other repository (default: origin)')
      .option('--branch <name>', 'the branch (default: the current one)');
  remote('push', 'send commits to another repository')
    .option('--force', 'replace what is there, if it is what was last seen')
    .option('--set-upstream', 'let the branch follow that one')
    .action(
      runner.action(
        (context, id: string, options: Remote & { readonly force?: boolean; readonly setUpstream?: boolean }) => {
          const { path, remote, branch, force, setUpstream } = options;
          const credentials = credentialsOf(context.io, options);
          return git(context, id, (git) => git.push({ path, remote, branch, force, setUpstream, credentials }));
        },
      ),
    );
  remote('pull', 'get commits from another repository')
    .option('--rebase', 'put own commits on top instead of merging')
    .action(
      runner.action((context, id: string, options: Remote & { readonly rebase?: boolean }) => {
        const { path, remote, branch, rebase } = options;
        const credentials = credentialsOf(context.io, options);
        return git(context, id, (git) => git.pull({ path, remote, branch, rebase, credentials }));
      }),
    );
}
