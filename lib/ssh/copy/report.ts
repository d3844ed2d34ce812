import { MngrFargateError } from '../../contract/errors';
import type { MngrFargateErrorCode } from '../../contract/errors';
import { parentOf } from './plan';

/** Something that was left out on purpose: a socket, a link that would lead out of the destination, an undecodable name. */
export interface SkippedEntry {
  readonly path: string;
  readonly reason: string;
}

/** What a copy has done so far. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Hears of each entry that is left out. */
  readonly onSkip?: (skipped: SkippedEntry) => void;
  /** Hears after each file, and after each piece of a large one. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface CopyResult {
  readonly files: number;
  readonly bytes: number;
  readonly skipped: readonly SkippedEntry[];
}

/** Failures that an error lists by name; of the others it says how many there are. */
const LISTED_FAILURES = 10;

/**
 * Keeps the account of one copy. A failure of one entry doesn't end the copy: what can be copied is, and the failures are
 * thrown together at its end.
 */
export class CopyReport {
  private readonly skippedEntries: SkippedEntry[] = [];
  private readonly failures: { readonly path: string; readonly error: MngrFargateError }[] = [];
  private readonly missingFolders = new Set<string>();
  private readonly total = { files: 0, bytes: 0 };
  private readonly done = { files: 0, bytes: 0 };

  constructor(
    private readonly what: string,
    private readonly options: CopyOptions,
    private readonly problemOf: (error: unknown, action: string) => MngrFargateError,
  ) {}

  /** Throws `aborted` once the caller's signal has fired. */
  check(): void {
    const { signal } = this.options;
    if (signal?.aborted)
      throw new MngrFargateError('aborted', `stopped copying ${this.what}`, { cause: signal.reason });
  }

  skip(path: string, reason: string): void {
    const skipped = { path, reason };
    this.skippedEntries.push(skipped);
    this.options.onSkip?.(skipped);
  }

  expect(files: readonly { readonly size: number }[]): void {
    this.total.files = files.length;
    this.total.bytes = files.reduce((sum, { size }) => sum + size, 0);
  }

  copied(bytes: number): void {
    this.done.bytes += bytes;
    this.tell();
  }

  /** Does one entry's work. Its failure is kept for the end, unless it is the root's own or the whole copy's. */
  async entry(path: string, kind: 'folder' | 'file' | 'link', work: () => Promise<void>): Promise<void> {
    this.check();
    if (this.isMissing(path)) return;
    try {
      await work();
      if (kind === 'file') {
        this.done.files += 1;
        this.tell();
      }
    } catch (error) {
      this.check();
      const problem = this.problemOf(error, `copy ${path === '' ? this.what : path}`);
      if (path === '' || endsCopy(problem.code)) throw problem;
      if (kind === 'folder') this.missingFolders.add(path);
      this.failures.push({ path, error: problem });
    }
  }

  /** What was copied and skipped. Throws when something could not be copied. */
  result(): CopyResult {
    const [first] = this.failures;
    if (first !== undefined) {
      const { error } = first;
      const others = this.failures.length - 1;
      throw new MngrFargateError(
        error.code,
        others === 0
          ? error.message
          : `${this.failures.length} entries of ${this.what} were not copied, the first because: ${error.message}`,
        {
          cause: error,
          hint: 'everything else was copied',
          details: { failures: this.failures.slice(0, LISTED_FAILURES).map(describe), failureCount: others + 1 },
        },
      );
    }
    return { files: this.done.files, bytes: this.done.bytes, skipped: this.skippedEntries };
  }

  /** True when this or a folder above could not be read or made: there is nothing to try, and nothing new to say. */
  private isMissing(path: string): boolean {
    for (let folder = path; folder !== ''; folder = parentOf(folder)) if (this.missingFolders.has(folder)) return true;
    return false;
  }

  private tell(): void {
    this.options.onProgress?.({
      files: this.done.files,
      totalFiles: this.total.files,
      bytes: this.done.bytes,
      totalBytes: this.total.bytes,
    });
  }
}

const describe = ({ path, error }: { readonly path: string; readonly error: MngrFargateError }) => ({
  path,
  message: error.message,
});

/** After these nothing else would succeed. */
const endsCopy = (code: MngrFargateErrorCode): boolean => code === 'unreachable' || code === 'aborted';
