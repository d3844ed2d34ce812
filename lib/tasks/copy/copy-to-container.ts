import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { localTree } from '../../ssh/copy/local-tree';
import { PIECE_BYTES, readFully } from '../../ssh/copy/pieces';
import type { CopyEntry, CopyFile, CopyPlan } from '../../ssh/copy/plan';
import { copyProblem } from '../../ssh/copy/problem';
import { CopyReport } from '../../ssh/copy/report';
import type { CopyOptions, CopyResult } from '../../ssh/copy/report';
import { readAlgorithm, strange } from './refusals';
import type { RecordReader } from './record-reader';
import type { RunInContainer } from './script-run';
import { withScript } from './script-run';
import { RECEIVE_SCRIPT } from './scripts';

/**
 * Copies a file or a folder into a container, like `scp -r`: into `remote` when that is a folder there, else under that name.
 * The rules are those of `upload` in lib/ssh. A file takes its place there when its checksum is right.
 * Throws `usage`, `not-found`, `denied`, `aborted`, `failed`, and what `run` throws.
 */
export async function copyToContainer(
  run: RunInContainer,
  local: string,
  remote: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const report = new CopyReport(local, options, copyProblem);
  const plan = await localTree(local, report);
  const kind = plan.directories.length > 0 ? 'd' : 'f';
  const sending = new Sending(plan, local, report);
  const stdin = Readable.from(sending.bytes(), { objectMode: false });
  const args = [remote, basename(resolve(local)), kind];
  try {
    report.check();
    return await withScript(run, { script: RECEIVE_SCRIPT, args, stdin, signal: options.signal }, (reader) =>
      sending.readAnswers(reader, remote),
    );
  } catch (error) {
    report.check();
    throw copyProblem(error, `copy ${local} to ${remote} in the container`);
  }
}

interface Answer {
  readonly path: string;
  readonly kind: 'folder' | 'file' | 'link';
  readonly settle: (text: string) => void;
}

/** Writes what the script takes, and reads its answers at the same time: many files cost no round trip each. */
class Sending {
  private readonly waiting: Answer[] = [];
  private wake: () => void = () => undefined;
  private allSent = false;
  private readonly algorithm: Promise<string>;
  private start: (algorithm: string) => void = () => undefined;
  /** Rejects when what is sent can't be read. A program whose input breaks off would only see its end. */
  private readonly broken: Promise<never>;
  private breakOff: (error: unknown) => void = () => undefined;

  constructor(
    private readonly plan: CopyPlan,
    private readonly local: string,
    private readonly report: CopyReport,
  ) {
    this.algorithm = new Promise((settle) => {
      this.start = settle;
    });
    this.broken = new Promise((_, reject) => {
      this.breakOff = reject;
    });
    this.broken.catch(() => undefined);
  }

  /** The script's input. */
  async *bytes(): AsyncGenerator<Buffer> {
    try {
      yield* this.records();
    } catch (error) {
      this.breakOff(error);
      throw error;
    }
  }

  private async *records(): AsyncGenerator<Buffer> {
    const algorithm = await this.algorithm;
    const { directories, files, links } = this.plan;
    this.report.expect(files);
    const made: CopyEntry[] = [];
    const answers: Promise<void>[] = [];
    for (const folder of directories) {
      yield header('d', folder.path);
      answers.push(
        this.answer(folder.path, 'folder').then((text) => {
          if (text === 'new') made.push(folder);
        }),
      );
    }
    await Promise.all(answers);
    for (const file of files) yield* this.file(file, algorithm);
    for (const { path, target } of links) {
      yield Buffer.concat([header('l', path), line(target)]);
      void this.answer(path, 'link');
    }
    for (const { path, mode } of made.sort(deepestFirst)) {
      yield header(`m ${octal(mode)}`, path);
      void this.answer(path, 'folder');
    }
    yield Buffer.from('.\n');
    this.allSent = true;
    this.wake();
  }

  /** Reads the answers until all is there. */
  readAnswers(reader: RecordReader, remote: string): Promise<CopyResult> {
    return Promise.race([this.answers(reader, remote), this.broken]);
  }

  private async answers(reader: RecordReader, remote: string): Promise<CopyResult> {
    this.start(await readAlgorithm(reader, remote));
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) await this.readAnswer(reader, next);
      else if (this.allSent) return this.report.result();
      else {
        await new Promise<void>((settle) => {
          this.wake = settle;
        });
      }
    }
  }

  private async readAnswer(reader: RecordReader, { path, kind, settle }: Answer): Promise<void> {
    const text = (await reader.record()).toString('utf8');
    const [, problem] = /^no ([^]*)$/.exec(text) ?? [];
    if (problem === undefined && text !== 'ok' && text !== 'new') throw strange();
    settle(text);
    await this.report.entry(path, kind, () =>
      problem === undefined ? Promise.resolve() : Promise.reject(new Error(problem.trim())),
    );
  }

  /** Expects the answer to what is being sent. */
  private answer(path: string, kind: Answer['kind']): Promise<string> {
    return new Promise((settle) => {
      this.waiting.push({ path, kind, settle });
      this.wake();
    });
  }

  private async *file(file: CopyFile, algorithm: string): AsyncGenerator<Buffer> {
    const { path, size, mode } = file;
    const full = join(this.local, path);
    const source = await this.opened(full, path);
    if (source === undefined) return;
    try {
      yield header(`f ${octal(mode)} ${size}`, path);
      void this.answer(path, 'file');
      const hash = createHash(algorithm);
      let isWhole = true;
      for (let sent = 0; sent < size;) {
        this.report.check();
        const piece = Buffer.alloc(Math.min(PIECE_BYTES, size - sent));
        const length = isWhole ? await readPiece(source, piece, sent) : 0;
        // A file that became shorter, or can't be read any more, is filled up: the script waits for that many bytes.
        if (length < piece.length) isWhole = false;
        hash.update(piece);
        sent += piece.length;
        this.report.copied(piece.length);
        yield piece;
      }
      yield line(isWhole ? hash.digest('hex') : '-');
    } finally {
      await source.close();
    }
  }

  private async opened(full: string, path: string): Promise<FileHandle | undefined> {
    try {
      return await open(full, 'r');
    } catch (error) {
      await this.report.entry(path, 'file', () => Promise.reject(error as Error));
      return undefined;
    }
  }
}

const readPiece = (source: FileHandle, piece: Buffer, position: number): Promise<number> =>
  readFully(piece, async (rest, offset) => {
    const { bytesRead } = await source.read(rest, 0, rest.length, position + offset);
    return bytesRead;
  }).catch(() => 0);

const deepestFirst = (one: CopyEntry, other: CopyEntry): number =>
  other.path.split('/').length - one.path.split('/').length;

const octal = (mode: number): string => mode.toString(8);

/** A line in which backslashes and new lines are escapes, as the script's `printf %b` reads them. */
const line = (text: string): Buffer =>
  Buffer.from(`${text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)}\n`);

const header = (words: string, path: string): Buffer => Buffer.concat([Buffer.from(`${words}\n`), line(path)]);
