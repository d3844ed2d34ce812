import type { SFTPWrapper, Stats } from 'ssh2';
import { utils } from 'ssh2';
import type { RemoteEntry, RemoteFile, RemoteFiles, RemoteFileStatus, RemoteFileType } from '../contract/channel';

const { STATUS_CODE } = utils.sftp;
const PERMISSION_BITS = 0o777;

type Callback<T> = (error: Error | null | undefined, result: T) => void;

/** The SFTP version 3 calls that copying needs, as promises. */
export class SftpFiles implements RemoteFiles {
  private readonly pending = new Set<(reason: Error) => void>();
  private ended: Error | undefined;

  constructor(private readonly sftp: SFTPWrapper) {
    sftp.on('error', (error: Error) => this.fail(error));
    sftp.on('close', () => this.fail(new Error('the SFTP session was closed')));
  }

  close(): void {
    this.fail(new Error('the SFTP session was ended'));
    this.sftp.end();
  }

  async stat(path: string): Promise<RemoteFileStatus> {
    return statusOf(await this.call<Stats>((done) => this.sftp.stat(path, done)));
  }

  async lstat(path: string): Promise<RemoteFileStatus> {
    return statusOf(await this.call<Stats>((done) => this.sftp.lstat(path, done)));
  }

  async list(path: string): Promise<RemoteEntry[]> {
    const entries = await this.call<{ filename: string; attrs: Stats }[]>((done) => this.sftp.readdir(path, done));
    return entries
      .filter(({ filename }) => filename !== '.' && filename !== '..')
      .map(({ filename, attrs }) => ({ name: filename, ...statusOf(attrs) }));
  }

  readLink(path: string): Promise<string> {
    return this.call((done) => this.sftp.readlink(path, done));
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    return this.call((done) => this.sftp.mkdir(path, { mode }, (error) => done(error)));
  }

  makeLink(target: string, path: string): Promise<void> {
    return this.call((done) => this.sftp.symlink(target, path, (error) => done(error)));
  }

  removeFile(path: string): Promise<void> {
    return this.call((done) => this.sftp.unlink(path, (error) => done(error)));
  }

  changeMode(path: string, mode: number): Promise<void> {
    return this.call((done) => this.sftp.chmod(path, mode, (error) => done(error)));
  }

  async open(path: string, flags: 'r' | 'w', mode = 0o600): Promise<RemoteFile> {
    const handle = await this.call<Buffer>((done) => this.sftp.open(path, flags, mode, done));
    return {
      read: (buffer, position) =>
        this.call<number>((done) => this.sftp.read(handle, buffer, 0, buffer.length, position, done)),
      write: (buffer, position) =>
        this.call((done) => this.sftp.write(handle, buffer, 0, buffer.length, position, (error) => done(error))),
      changeMode: (bits) => this.call((done) => this.sftp.fchmod(handle, bits, (error) => done(error))),
      close: () => this.call((done) => this.sftp.close(handle, (error) => done(error))),
    };
  }

  private fail(reason: Error): void {
    this.ended ??= reason;
    for (const reject of this.pending) reject(this.ended);
    this.pending.clear();
  }

  private call<T = void>(start: (callback: Callback<T>) => void): Promise<T> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.pending.add(reject);
      start((error, result) => {
        this.pending.delete(reject);
        if (error) reject(inWords(error));
        else resolve(result);
      });
    });
  }
}

function statusOf(stats: Stats): RemoteFileStatus {
  return { type: typeOf(stats), mode: stats.mode & PERMISSION_BITS, size: stats.size };
}

function typeOf(stats: Stats): RemoteFileType {
  if (stats.isDirectory()) return 'directory';
  if (stats.isFile()) return 'file';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/** SFTP's status codes (draft-ietf-secsh-filexfer-02, section 7) as Node's, and in words where a server's are too few. */
const MEANINGS: ReadonlyMap<unknown, { readonly code?: string; readonly message: string }> = new Map([
  [STATUS_CODE.EOF, { message: 'the file ended too early' }],
  [STATUS_CODE.NO_SUCH_FILE, { code: 'ENOENT', message: 'no such file or directory' }],
  [STATUS_CODE.PERMISSION_DENIED, { code: 'EACCES', message: 'permission denied' }],
  [
    STATUS_CODE.FAILURE,
    {
      message: "the host's SFTP server failed and does not say why (a full disk, or something of that name in the way)",
    },
  ],
  [STATUS_CODE.BAD_MESSAGE, { message: "the host's SFTP server did not understand the request" }],
  [STATUS_CODE.NO_CONNECTION, { message: "the host's SFTP server has no connection" }],
  [STATUS_CODE.CONNECTION_LOST, { message: "the host's SFTP server lost its connection" }],
  [STATUS_CODE.OP_UNSUPPORTED, { message: "the host's SFTP server can't do this" }],
]);

/** OpenSSH's word for SSH_FX_FAILURE. Another server may say more. */
const SAYS_NOTHING = new Set([
  'Failure',
  'No such file',
  'Permission denied',
  'End of file',
  'Bad message',
  'Operation unsupported',
  '',
]);

function inWords(error: Error): Error {
  const meaning = MEANINGS.get((error as { code?: unknown }).code);
  if (meaning === undefined) return error;
  const message = SAYS_NOTHING.has(error.message) ? meaning.message : error.message;
  const { code } = meaning;
  return Object.assign(new Error(message, { cause: error }), code === undefined ? {} : { code });
}
