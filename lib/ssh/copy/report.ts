import { MngrFargateError } from '../../contract/errors';
import type { MngrFargateErrorCode } from '../../contract/errors';
import { parentOf } from './plan';

/** An entry that was skipped on purpose: a socket, a link that points outside the destination, an undecodable name. */
export interface SkippedEntry {
  readonly path: string;
  readonly reason: string;
}

/** The progress of a copy. */
export interface CopyProgress {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Called for each entry that is skipped. */
  readonly onSkip?: (skipped: SkippedEntry) => void;
  /** Called after each file, and after each piece of a large file. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface CopyResult {
  readonly files: number;
  readonly bytes: number;
  readonly skipped: readonly SkippedEntry[];
}

/** The number of failures that an error lists by name; it only counts the others. */
const LISTED_FAILURES = 10;

/**
 * Records what one copy did. If an entry fails, the copy goes on with the others and throws all failures together at the
 * end.
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

  /** Copies one entry. A failure is kept for the end, unless it concerns the root or the whole copy. */
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

  /** Returns what was copied and skipped. Throws if something could not be copied. */
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

  /** True if this folder or one above it could not be read or created, so there is nothing to try or to report. */
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

/** After one of these errors nothing else would succeed. */
const endsCopy = (code: MngrFargateErrorCode): boolean => code === 'unreachable' || code === 'aborted';
