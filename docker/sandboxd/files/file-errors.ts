import type { SandboxdErrorCode } from '../../../lib/contract/sandboxd';
import { Failure } from '../failure';

const CODES: Readonly<Record<string, SandboxdErrorCode>> = {
  ENOENT: 'file_not_found',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  EISDIR: 'is_a_directory',
  ENOTDIR: 'not_a_directory',
  EEXIST: 'file_exists',
  ENOTEMPTY: 'directory_not_empty',
  ENOSPC: 'no_space',
  EDQUOT: 'no_space',
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: "is not open to the sandbox's user",
  EPERM: "is not open to the sandbox's user",
  EROFS: 'is on a file system that is read only',
  EISDIR: 'is a folder: name a file',
  ENOTDIR: 'leads through something that is not a folder',
  EEXIST: 'already exists',
  ENOTEMPTY: 'is a folder that is not empty',
  ENOSPC: 'cannot be written: the disk is full',
  EDQUOT: "cannot be written: the user's quota is used up",
  ENAMETOOLONG: 'has a name that is too long: names have up to 255 bytes, paths up to 4,095',
  ELOOP: 'leads through links that never end',
  EXDEV: 'is on another file system: copy it and remove the old one',
  EINVAL: 'cannot be put below itself',
  EBUSY: 'cannot be removed or moved: the system uses it',
  ETXTBSY: 'is a program that is running',
};

/** An error of the file system, for the caller. */
export function fileFailure(error: unknown, path: string): Failure {
  if (error instanceof Failure) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  if (reason === undefined) return new Failure('internal', `${JSON.stringify(path)}: ${message}`);
  return new Failure(CODES[code] ?? 'bad_request', `${JSON.stringify(path)} ${reason}`);
}
