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
        if (error) reject(withNodesCode(error));
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

const NODES_CODES: ReadonlyMap<unknown, string> = new Map([
  [STATUS_CODE.NO_SUCH_FILE, 'ENOENT'],
  [STATUS_CODE.PERMISSION_DENIED, 'EACCES'],
]);

function withNodesCode(error: Error): Error {
  const code = NODES_CODES.get((error as { code?: unknown }).code);
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code });
}
