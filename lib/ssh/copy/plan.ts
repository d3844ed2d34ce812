/** What a copy consists of, listed before anything is written. Paths are relative to the copied root, which is `''`. */
export interface CopyPlan {
  /** Parents before their children. */
  readonly directories: readonly CopyEntry[];
  readonly files: readonly CopyFile[];
  /** Recreated as links with the same target, after everything else, so that nothing is ever written through one. */
  readonly links: readonly CopyLink[];
}

export interface CopyEntry {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
}

export interface CopyFile extends CopyEntry {
  /** Size in bytes when the copy was planned. */
  readonly size: number;
}

/** One file of a copy on its way. */
export interface FileCopy extends CopyFile {
  /** The whole path of the source. */
  readonly from: string;
  /** The whole path of the destination. */
  readonly to: string;
}

export interface CopyLink extends CopyEntry {
  readonly target: string;
}

export const PERMISSION_BITS = 0o777;

/** The number of files copied at a time: small files cost round trips, not bandwidth. */
export const FILES_AT_ONCE = 16;

/** Joins with `/`, which both ends understand. Empty parts are left out. */
export const joinPath = (base: string, path: string): string => {
  if (path === '') return base;
  if (base === '') return path;
  return base.endsWith('/') ? base + path : `${base}/${path}`;
};

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

export const withoutTrailingSlashes = (path: string): string => path.replace(/(?<=.)\/+$/, '');

/** `~` and `~/x` are the login directory, where SFTP's relative paths start. */
export const remotePathOf = (path: string): string =>
  path === '' || path === '~' ? '.' : path.replace(/^~\/+/, '') || '.';

/** True for a name that readdir could not decode, because its bytes were not UTF-8: it no longer identifies the file. */
export const isUndecodable = (name: string): boolean => name.includes('\uFFFD');
