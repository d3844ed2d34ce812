import { getSystemErrorMap, types } from 'node:util';
import type { MngrFargateErrorCode } from '../contract/errors';

/** An error of the operating system, as Node reports it, in words for a user. */
export interface SystemProblem {
  readonly code: MngrFargateErrorCode;
  /** The system's own name of the error, for example `EACCES`. */
  readonly systemError: string;
  /** The whole error in words, for example `cannot open /x: permission denied`. */
  readonly message: string;
  /** The reason alone, for example `permission denied`. */
  readonly reason: string;
  readonly hint: string | undefined;
}

/** What a user can do about an error, by the system's name. All others are explained by their words alone. */
const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'give your user permission to it, or choose another path',
  EPERM: 'give your user permission to it, or choose another path',
  EROFS: 'choose a path on a file system that can be written',
  ENOSPC: 'free some disk space and try again',
  EDQUOT: 'free some of your disk quota and try again',
  EFBIG: 'choose a file system that takes files of this size',
  EMFILE: 'raise the limit on open files (`ulimit -n`), or run fewer commands at once',
  ENFILE: 'close some programs: the machine has too many open files',
  ENOMEM: 'close some programs, or use a machine with more memory',
  EEXIST: 'remove it, or choose another name',
  EISDIR: 'name a file, not a folder',
  ENOTDIR: 'a part of the path is a file: choose another path',
  ENOTEMPTY: 'empty the folder first, or choose another one',
  ENAMETOOLONG: 'choose a shorter name',
  ELOOP: 'a symbolic link in the path leads to itself: remove it',
  EXDEV: 'choose a path on the same file system',
  EBUSY: 'close the program that uses it and try again',
  ETXTBSY: 'end the program that runs it and try again',
  EIO: 'the disk or its driver has failed: see the log of the system',
  ESTALE: 'mount the network file system again',
  EADDRINUSE: 'choose another port, or end the program that listens there',
  EADDRNOTAVAIL: 'choose an address of this machine',
};

/** For errors of sockets. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there, or a firewall refuses the connection',
  ECONNRESET: 'the other side or a firewall ended the connection: try again',
  ECONNABORTED: 'this machine ended the connection: try again',
  EPIPE: 'the other side ended the connection: try again',
  ETIMEDOUT: 'nothing answers there: check the network, the VPN and firewalls',
  EHOSTUNREACH: 'no route leads there: check the network and the VPN',
  EHOSTDOWN: 'no route leads there: check the network and the VPN',
  ENETUNREACH: 'this machine has no route there: check the network, and whether it has the address family (IPv4, IPv6)',
  ENETDOWN: 'this machine has no network',
  ENOTFOUND: 'no name server knows that name: check its spelling, the network and the VPN',
  EAI_AGAIN: 'the name server does not answer: check the network and the VPN',
  EAI_FAIL: 'the name server failed: check the network and the VPN',
  EAI_NODATA: 'no name server knows an address of that name: check its spelling',
  EAI_NONAME: 'no name server knows that name: check its spelling, the network and the VPN',
};

/** Words that are missing in the system's own list, or too short there. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is unknown',
  EAI_AGAIN: 'the name server does not answer',
  EDQUOT: 'the disk quota is used up',
  ESTALE: 'the file system has lost the file',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'it already exists',
};

/** What a call of the system does, where its name says too little. */
const ACTIONS: Readonly<Record<string, string>> = {
  scandir: 'read',
  opendir: 'read',
  readdir: 'read',
  stat: 'look at',
  lstat: 'look at',
  fstat: 'look at',
  statfs: 'look at',
  access: 'use',
  mkdir: 'create',
  mkdtemp: 'create',
  unlink: 'remove',
  rmdir: 'remove',
  rm: 'remove',
  copyfile: 'copy',
  symlink: 'link',
  chmod: 'change the mode of',
  fchmod: 'change the mode of',
  chown: 'change the owner of',
  utime: 'change the times of',
  utimes: 'change the times of',
  realpath: 'resolve',
  readlink: 'read the link',
  ftruncate: 'shorten',
  fsync: 'flush',
  fdatasync: 'flush',
  listen: 'listen on',
  bind: 'listen on',
  connect: 'connect to',
  getaddrinfo: 'find the address of',
  queryA: 'find the address of',
  kill: 'signal',
  uv_cwd: 'find the current folder',
};

type Raw = NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string; dest?: string };

/** Whether a socket or a name server reported it. */
export const isNetworkError = (code: string | undefined): boolean => code !== undefined && code in NETWORK;

/** The reason of a system error in words; undefined for an error that isn't the system's. */
export function reasonOf(error: unknown): string | undefined {
  const raw = firstOf(error);
  if (raw?.code === undefined) return undefined;
  return WORDS[raw.code] ?? knownWords().get(raw.code);
}

/** What the user can do about a system error. */
export const hintOf = (code: string | undefined): string | undefined =>
  code === undefined ? undefined : (HINTS[code] ?? NETWORK[code]);

/** An error of the system in words; undefined for any other error. */
export function systemProblem(error: unknown): SystemProblem | undefined {
  const raw = firstOf(error);
  const reason = reasonOf(raw);
  if (raw?.code === undefined || reason === undefined) return undefined;
  if (raw.syscall?.startsWith('spawn')) return programProblem(raw, raw.code, reason);
  const { code: systemError } = raw;
  const what = raw.path ?? placeOf(raw);
  const [verb, object] = [ACTIONS[raw.syscall ?? ''] ?? raw.syscall, what].map((part) => part ?? '');
  const doing = `${verb} ${object}`.trim();
  return {
    code: codeOf(systemError),
    systemError,
    reason,
    message: doing === '' ? reason : `cannot ${doing}: ${reason}`,
    hint: hintOf(systemError),
  };
}

function programProblem(raw: Raw, systemError: string, reason: string): SystemProblem {
  const program = raw.path ?? raw.syscall?.replace(/^spawn(?:Sync)? ?/, '') ?? '';
  const missing = systemError === 'ENOENT';
  const why = missing ? 'there is no such program on the PATH, or the current folder is gone' : reason;
  return {
    code: 'failed',
    systemError,
    reason: why,
    message: `cannot run ${program}: ${why}`,
    hint: missing ? `install ${program}, or correct PATH` : hintOf(systemError),
  };
}

function codeOf(systemError: string): MngrFargateErrorCode {
  if (isNetworkError(systemError)) return 'unreachable';
  if (systemError === 'ENOENT') return 'not-found';
  return 'failed';
}

function placeOf({ address, port, hostname }: Raw): string | undefined {
  if (address !== undefined) return port === undefined ? address : `${address} port ${port}`;
  return hostname;
}

/** Node tries the addresses of a name one after another, and reports all their failures together, without a message. */
function firstOf(error: unknown): Raw | undefined {
  if (!types.isNativeError(error)) return undefined;
  const { errors } = error as AggregateError;
  return Array.isArray(errors) ? firstOf(errors[0]) : error;
}

let words: ReadonlyMap<string, string> | undefined;
const knownWords = (): ReadonlyMap<string, string> => (words ??= new Map([...getSystemErrorMap().values()]));
