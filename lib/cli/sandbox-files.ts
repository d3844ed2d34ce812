import type { RemoteEntry, RemoteFile, RemoteFiles, RemoteFileStatus } from '../contract/channel';
import type { ApiFile, Sandbox } from '../sandbox/client';
import { SandboxApiError } from '../sandbox/client';

/** The service's codes as Node's file functions name them, which is what copying asks for. */
const CODES: Readonly<Record<string, string>> = { file_not_found: 'ENOENT', permission_denied: 'EACCES' };

/**
 * The files of a sandbox as those of a host, so that one copy serves both. Files are streamed whole, each over one request: the
 * pieces of a copy, of which several are under way at once, are put in order here.
 */
export class SandboxFiles implements RemoteFiles {
  private readonly closing = new AbortController();

  constructor(private readonly sandbox: Sandbox) {}

  async stat(path: string): Promise<RemoteFileStatus> {
    const found = await this.lstat(path);
    if (found.type !== 'link') return found;
    // The service looks at the link itself.
    const { stdout, exitCode } = await this.run(['stat', '-L', '-c', '%f %s', '--', path]);
    if (exitCode !== 0) throw withCode(new Error('a link leads nowhere'), 'ENOENT');
    const [mode = '0', size] = stdout.trim().split(' ');
    return { ...ofMode(Number.parseInt(mode, 16)), size: Number(size) };
  }

  async lstat(path: string): Promise<RemoteFileStatus> {
    return statusOf(await this.call((files, signal) => files.stat(path, { signal })));
  }

  async list(path: string): Promise<readonly RemoteEntry[]> {
    const entries = await this.call((files, signal) => files.list(path, { signal }));
    return entries.map((entry) => ({ ...statusOf(entry), name: entry.name }));
  }

  async readLink(path: string): Promise<string> {
    return (await this.call((files, signal) => files.stat(path, { signal }))).target ?? '';
  }

  async makeDirectory(path: string, mode: number): Promise<void> {
    await this.call((files, signal) => files.makeDirectory(path, { mode: octal(mode), parents: false, signal }));
  }

  async makeLink(target: string, path: string): Promise<void> {
    const { exitCode, stderr } = await this.run(['ln', '-s', '--', target, path]);
    if (exitCode !== 0) throw new Error(stderr.trim());
  }

  async removeFile(path: string): Promise<void> {
    await this.call((files, signal) => files.remove(path, { signal }));
  }

  async changeMode(path: string, mode: number): Promise<void> {
    await this.call((files, signal) => files.changeMode(path, octal(mode), { signal }));
  }

  async open(path: string, flags: 'r' | 'w', mode?: number): Promise<RemoteFile> {
    if (flags === 'w') return new Upload(this, path, mode);
    const stream = await this.call((files, signal) => files.download(path, { signal }));
    return new Download(stream);
  }

  close(): void {
    this.closing.abort(new Error('the copy has ended'));
  }

  /** A call of the file routes, with errors as copying knows them. */
  async call<T>(work: (files: Sandbox['files'], signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const either = signal === undefined ? this.closing.signal : AbortSignal.any([signal, this.closing.signal]);
    try {
      return await work(this.sandbox.files, either);
    } catch (error) {
      const code = error instanceof SandboxApiError ? CODES[error.code] : undefined;
      throw code === undefined ? error : withCode(error as Error, code);
    }
  }

  private run(argv: readonly string[]): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
    return this.sandbox.exec(argv, { cwd: '/workspace', timeoutSeconds: 60, signal: this.closing.signal }).result;
  }
}

const withCode = (error: Error, code: string): Error =>
  Object.assign(new Error(error.message, { cause: error }), { code });

const octal = (mode: number): string => `0${(mode & 0o7777).toString(8).padStart(3, '0')}`;

const statusOf = ({ type, mode, size }: ApiFile): RemoteFileStatus => ({
  type,
  mode: Number.parseInt(mode, 8),
  size: size ?? 0,
});

/** What stat(1) prints as a number in base 16 (stat(2), st_mode). */
function ofMode(bits: number): Pick<RemoteFileStatus, 'type' | 'mode'> {
  const kind = bits & 0o170000;
  return { type: kind === 0o040000 ? 'directory' : kind === 0o100000 ? 'file' : 'other', mode: bits & 0o7777 };
}

interface Piece {
  readonly buffer: Buffer;
  readonly done: (bytes: number) => void;
  readonly fail: (error: unknown) => void;
}

/** Pieces of one file by their positions; `next` serves the one whose turn it is. */
class Pieces {
  private readonly waiting = new Map<number, Piece>();

  add(position: number, buffer: Buffer): Promise<number> {
    return new Promise((done, fail) => this.waiting.set(position, { buffer, done, fail }));
  }

  next(position: number): Piece | undefined {
    const piece = this.waiting.get(position);
    this.waiting.delete(position);
    return piece;
  }

  end(settle: (piece: Piece) => void): void {
    for (const piece of this.waiting.values()) settle(piece);
    this.waiting.clear();
  }
}

class Download implements RemoteFile {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly pieces = new Pieces();
  private at = 0;
  private rest: Uint8Array = new Uint8Array(0);
  private ended = false;
  private reading = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.reader = stream.getReader();
  }

  read(buffer: Buffer, position: number): Promise<number> {
    if (this.ended && position >= this.at) return Promise.resolve(0);
    const read = this.pieces.add(position, buffer);
    void this.serve();
    return read;
  }

  async write(): Promise<void> {
    throw new Error('the file was opened to be read');
  }

  async changeMode(): Promise<void> {
    throw new Error('the file was opened to be read');
  }

  async close(): Promise<void> {
    await this.reader.cancel().catch(() => undefined);
  }

  private async serve(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      for (let piece = this.pieces.next(this.at); piece !== undefined; piece = this.pieces.next(this.at)) {
        try {
          const length = await this.fill(piece.buffer);
          this.at += length;
          piece.done(length);
        } catch (error) {
          piece.fail(error);
          throw error;
        }
      }
      if (this.ended) this.pieces.end(({ done }) => done(0));
    } catch (error) {
      this.pieces.end(({ fail }) => fail(error));
    } finally {
      this.reading = false;
    }
  }

  private async fill(buffer: Buffer): Promise<number> {
    let length = 0;
    while (length < buffer.length && !this.ended) {
      if (this.rest.length === 0) {
        const { done, value } = await this.reader.read();
        if (done) this.ended = true;
        else this.rest = value;
        continue;
      }
      const part = this.rest.subarray(0, buffer.length - length);
      buffer.set(part, length);
      this.rest = this.rest.subarray(part.length);
      length += part.length;
    }
    return length;
  }
}

/** The file is replaced only when all of it has come: `changeMode` says so, and a close without it gives the upload up. */
class Upload implements RemoteFile {
  private readonly pieces = new Pieces();
  private readonly giveUp = new AbortController();
  private readonly sent: Promise<unknown>;
  private isWhole = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly files: SandboxFiles,
    private readonly path: string,
    mode: number | undefined,
  ) {
    const { signal } = this.giveUp;
    this.sent = files.call(
      (api, either) =>
        api.write(path, this.inOrder(), { mode: mode === undefined ? undefined : octal(mode), signal: either }),
      signal,
    );
    this.sent.catch((error: unknown) => this.pieces.end(({ fail }) => fail(error)));
  }

  async write(buffer: Buffer, position: number): Promise<void> {
    const taken = this.pieces.add(position, buffer);
    this.wake();
    await Promise.race([taken, this.sent.then(() => undefined)]);
  }

  async changeMode(mode: number): Promise<void> {
    this.isWhole = true;
    this.wake();
    await this.sent;
    await this.files.changeMode(this.path, mode);
  }

  async close(): Promise<void> {
    if (!this.isWhole) this.giveUp.abort(new Error('the copy was given up'));
    await this.sent.catch(() => undefined);
  }

  async read(): Promise<number> {
    throw new Error('the file was opened to be written');
  }

  private async *inOrder(): AsyncGenerator<Uint8Array, void> {
    for (let at = 0; ;) {
      const piece = this.pieces.next(at);
      if (piece !== undefined) {
        at += piece.buffer.length;
        yield piece.buffer;
        piece.done(piece.buffer.length);
      } else if (this.isWhole) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
