import type * as z from 'zod';
import { WORKSPACE } from '../../../contract/sandboxd';
import { SandboxError } from '../../model/errors';
import type { EventKind, SubmitEvent } from '../../model/types';
import { inWorkspace } from '../routes/paths';
import { GIT_TIMEOUT_SECONDS } from '../schemas/git';
import type {
  gitBranch,
  gitCheckout,
  gitClone,
  gitCommit,
  gitDiff,
  gitLog,
  gitPull,
  gitPush,
  gitStatus,
} from '../schemas/git';
import { commitCommand, git, GIT_ENV, withCredentials, withIdentity } from './git-command';
import type { GitCommand } from './git-command';
import { gitUrl, TOKEN_USER } from './git-url';
import type { Credentials } from './git-url';

type Body<T extends z.ZodType> = z.infer<T>;
type Folder = Body<typeof gitStatus>;

interface EventOptions {
  readonly timeoutSeconds: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The event of a git command. `payload` must not have credentials. */
function gitEvent(
  kind: EventKind,
  payload: Readonly<Record<string, unknown>>,
  cwd: string,
  { argv, secret }: GitCommand,
  { timeoutSeconds, env }: EventOptions,
): SubmitEvent {
  return {
    kind,
    payload: Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined)),
    argv,
    cwd,
    secret,
    env: { ...GIT_ENV, ...env },
    timeoutSeconds,
  };
}

/** The folder of a repository, under either of its names. */
function folderOf({ path, cwd }: Folder): string {
  if (path !== undefined && cwd !== undefined && path !== cwd) {
    throw new SandboxError('bad_request', 'path and cwd are two folders: give one of them', { field: 'cwd' });
  }
  return inWorkspace(path ?? cwd ?? WORKSPACE);
}

const given = (credentials: Body<typeof gitClone>['credentials']): Credentials | undefined =>
  credentials === undefined
    ? undefined
    : { username: credentials.username ?? TOKEN_USER, password: credentials.password };

export function cloneEvent(body: Body<typeof gitClone>): SubmitEvent {
  const { url, origin, credentials: inUrl } = gitUrl(body.url, 'url');
  const credentials = given(body.credentials) ?? inUrl;
  if (credentials !== undefined && origin === undefined) throw onlyForHttp();
  const dest = inWorkspace(body.dest ?? WORKSPACE);
  const plain = git(
    'clone',
    ...(body.branch === undefined ? [] : [`--branch=${body.branch}`]),
    ...(body.depth === undefined ? [] : [`--depth=${body.depth}`]),
    ...(body.submodules === true ? ['--recurse-submodules'] : []),
    ...(body.submodules === true && body.depth !== undefined ? ['--shallow-submodules'] : []),
    '--',
    url,
    dest,
  );
  const { branch, depth, submodules } = body;
  return gitEvent(
    'git_clone',
    { url, dest, branch, depth, submodules },
    '/',
    credentials === undefined ? plain : withCredentials(plain, credentials, origin),
    { timeoutSeconds: body.timeout_seconds ?? GIT_TIMEOUT_SECONDS.network },
  );
}

export function commitEvent(body: Body<typeof gitCommit>): SubmitEvent {
  const cwd = folderOf(body);
  const { message, files = [], author, allow_empty } = body;
  const command = commitCommand(message, files.length === 0 ? ['.'] : files, allow_empty === true);
  const env: Record<string, string> =
    author === undefined ? {} : { GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email };
  return gitEvent('git_commit', { path: cwd, message, files, author, allow_empty }, cwd, command, {
    timeoutSeconds: body.timeout_seconds ?? GIT_TIMEOUT_SECONDS.local,
    env,
  });
}

export const statusEvent = (body: Folder): SubmitEvent =>
  local('git_status', body, {}, git('status', '--porcelain=v2', '--branch', '--untracked-files=all'));

export function diffEvent(body: Body<typeof gitDiff>): SubmitEvent {
  const { staged, ref, files = [], stat } = body;
  const command = git(
    'diff',
    '--no-ext-diff',
    '--no-color',
    ...(staged === true ? ['--cached'] : []),
    ...(stat === true ? ['--stat'] : []),
    ...(ref === undefined ? [] : [ref]),
    '--',
    ...files,
  );
  return local('git_diff', body, { staged, ref, files, stat }, command);
}

const LOG_DEFAULT = 50;

export function logEvent(body: Body<typeof gitLog>): SubmitEvent {
  const { ref, limit = LOG_DEFAULT, files = [] } = body;
  const command = git('log', '--no-color', `--max-count=${limit}`, ...(ref === undefined ? [] : [ref]), '--', ...files);
  return local('git_log', body, { ref, limit, files }, command);
}

export function branchEvent(body: Body<typeof gitBranch>): SubmitEvent {
  const { name, from, delete: remove, force } = body;
  if (name === undefined && (from !== undefined || remove === true || force === true)) {
    throw new SandboxError('bad_request', 'name is missing: give the branch', { field: 'name' });
  }
  if (remove === true && from !== undefined) {
    throw new SandboxError('bad_request', 'from is only for a new branch: leave it out', { field: 'from' });
  }
  const forced = force === true ? ['--force'] : [];
  const command =
    name === undefined
      ? git('branch', '--list', '--all', '--no-color', '--verbose')
      : remove === true
        ? git('branch', '--delete', ...forced, '--', name)
        : git('branch', ...forced, '--', name, ...(from === undefined ? [] : [from]));
  return local('git_branch', body, { name, from, delete: remove, force }, command);
}

export function checkoutEvent(body: Body<typeof gitCheckout>): SubmitEvent {
  const { ref, create, files } = body;
  if (create === true && (ref === undefined || files !== undefined)) {
    throw new SandboxError('bad_request', 'create needs ref, which names the new branch', { field: 'create' });
  }
  const command =
    create === true && ref !== undefined
      ? git('checkout', '-b', ref, '--')
      : git('checkout', ...(ref === undefined ? [] : [ref]), '--', ...(files ?? []));
  return local('git_checkout', body, { ref, create, files }, command);
}

export function pushEvent(body: Body<typeof gitPush>): SubmitEvent {
  const { branch, force, set_upstream, tags } = body;
  const words = (remote: string) => [
    'push',
    '--porcelain',
    ...(force === true ? ['--force-with-lease'] : []),
    ...(set_upstream === true ? ['--set-upstream'] : []),
    ...(tags === true ? ['--tags'] : []),
    '--',
    remote,
    branch ?? 'HEAD',
  ];
  return withRemote('git_push', body, words, { branch, force, set_upstream, tags });
}

export function pullEvent(body: Body<typeof gitPull>): SubmitEvent {
  const { branch, rebase } = body;
  const words = (remote: string) => [
    'pull',
    rebase === true ? '--rebase' : '--no-rebase',
    '--no-edit',
    '--',
    ...(branch === undefined && body.remote === undefined ? [] : [remote]),
    ...(branch === undefined ? [] : [branch]),
  ];
  return withRemote('git_pull', body, words, { branch, rebase });
}

/** A command that only works in the folder. */
function local(kind: EventKind, body: Folder, payload: Readonly<Record<string, unknown>>, command: GitCommand) {
  const cwd = folderOf(body);
  const timeoutSeconds = body.timeout_seconds ?? GIT_TIMEOUT_SECONDS.local;
  return gitEvent(kind, { path: cwd, ...payload }, cwd, command, { timeoutSeconds });
}

/** A command that speaks to another repository. It may have to merge, and so to commit. */
function withRemote(
  kind: EventKind,
  body: Body<typeof gitPush> | Body<typeof gitPull>,
  words: (remote: string) => string[],
  payload: Readonly<Record<string, unknown>>,
): SubmitEvent {
  const cwd = folderOf(body);
  const isName = body.remote === undefined || /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(body.remote);
  const target = isName
    ? { url: body.remote ?? 'origin', origin: undefined, credentials: undefined }
    : gitUrl(body.remote ?? '', 'remote');
  const credentials = given(body.credentials) ?? target.credentials;
  if (!isName && credentials !== undefined && target.origin === undefined) throw onlyForHttp();
  const plain = git(...words(target.url));
  const command = credentials === undefined ? plain : withCredentials(plain, credentials, target.origin);
  return gitEvent(kind, { path: cwd, remote: target.url, ...payload }, cwd, withIdentity(command), {
    timeoutSeconds: body.timeout_seconds ?? GIT_TIMEOUT_SECONDS.network,
  });
}

const onlyForHttp = (): SandboxError =>
  new SandboxError('bad_request', 'credentials work only with http and https URLs', {
    field: 'credentials',
    suggestion: 'leave them out, or use the https URL of the repository',
  });
