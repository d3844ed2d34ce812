import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { utils } from 'ssh2';
import { MngrFargateError } from '../contract/errors';
import type { SshConnection } from './connection';

const { STATUS_CODE } = utils.sftp;

/** An open file on the host. */
export type RemoteHandle = Buffer;

type Callback<T> = (error: Error | null | undefined, result: T) => void;

/** The calls of SFTP version 3 that copying needs, as promises. Relative paths start at the login directory. */
export class RemoteFiles {
  private readonly pending = new Set<(reason: Error) => void>();
  private ended: Error | undefined;

  private constructor(private readonly sftp: SFTPWrapper) {
    sftp.on('error', (error: Error) => this.fail(error));
    sftp.on('close', () => this.fail(new Error('the SFTP session was closed')));
  }

  static async open(connection: SshConnection): Promise<RemoteFiles> {
    try {
      return new RemoteFiles(await connection.sftp());
    } catch (error) {
      throw new MngrFargateError(
        'unreachable',
        `cannot start SFTP at ${connection.where}: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  /** Ends the session. Calls under way are rejected at once, whatever the network does. */
  end(): void {
    this.fail(new Error('the SFTP session was ended'));
    this.sftp.end();
  }

  private fail(reason: Error): void {
    this.ended ??= reason;
    for (const reject of this.pending) reject(this.ended);
    this.pending.clear();
  }

  private call<T>(start: (callback: Callback<T>) => void): Promise<T> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.pending.add(reject);
      start((error, result) => {
        this.pending.delete(reject);
        if (error) reject(error);
        else resolve(result);
      });
    });
  }

  stat(path: string): Promise<Stats> {
    return this.call((done) => this.sftp.stat(path, done));
  }

  lstat(path: string): Promise<Stats> {
    return this.call((done) => this.sftp.lstat(path, done));
  }

  readdir(path: string): Promise<FileEntryWithStats[]> {
    return this.call((done) => this.sftp.readdir(path, done));
  }

  readlink(path: string): Promise<string> {
    return this.call((done) => this.sftp.readlink(path, done));
  }

  mkdir(path: string, mode: number): Promise<void> {
    return this.call((done) => this.sftp.mkdir(path, { mode }, (error) => done(error)));
  }

  symlink(target: string, path: string): Promise<void> {
    return this.call((done) => this.sftp.symlink(target, path, (error) => done(error)));
  }

  unlink(path: string): Promise<void> {
    return this.call((done) => this.sftp.unlink(path, (error) => done(error)));
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.call((done) => this.sftp.chmod(path, mode, (error) => done(error)));
  }

  openFile(path: string, flags: 'r' | 'w', mode = 0o600): Promise<RemoteHandle> {
    return this.call((done) => this.sftp.open(path, flags, mode, done));
  }

  fchmod(handle: RemoteHandle, mode: number): Promise<void> {
    return this.call((done) => this.sftp.fchmod(handle, mode, (error) => done(error)));
  }

  close(handle: RemoteHandle): Promise<void> {
    return this.call((done) => this.sftp.close(handle, (error) => done(error)));
  }

  /** Bytes read; 0 at the end of the file. */
  read(handle: RemoteHandle, buffer: Buffer, position: number): Promise<number> {
    return this.call((done) => this.sftp.read(handle, buffer, 0, buffer.length, position, done));
  }

  write(handle: RemoteHandle, buffer: Buffer, position: number): Promise<void> {
    return this.call((done) => this.sftp.write(handle, buffer, 0, buffer.length, position, (error) => done(error)));
  }
}

export const isMissingRemotely = (error: unknown): boolean =>
  (error as { code?: unknown }).code === STATUS_CODE.NO_SUCH_FILE;

/** An error of SFTP or of the local file system while copying, as one of ours. */
export function copyProblem(error: unknown, action: string): MngrFargateError {
  if (error instanceof MngrFargateError) return error;
  const { code, message } = error as { code?: unknown; message: string };
  const options = { cause: error };
  if (code === STATUS_CODE.NO_SUCH_FILE || code === 'ENOENT') {
    return new MngrFargateError('not-found', `cannot ${action}: no such file or directory`, options);
  }
  if (code === STATUS_CODE.PERMISSION_DENIED || code === 'EACCES' || code === 'EPERM') {
    return new MngrFargateError('denied', `cannot ${action}: permission denied`, options);
  }
  return new MngrFargateError('failed', `cannot ${action}: ${message}`, options);
}
