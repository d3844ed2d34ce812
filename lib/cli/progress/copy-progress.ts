import type { CopyOptions, CopyProgress, CopyResult } from '../../ssh';
import type { CliContext } from '../context';
import type { Io } from '../io';
import { isInteractive } from '../io';
import { formatBytes, formatElapsed } from '../render/format';

/** A copy that ends sooner than this shows nothing. */
const QUIET_FOR_MS = 2_000;
const REDRAW_MS = 200;
/** Between two lines where nothing can be redrawn. */
const LINE_MS = 10_000;
const CLEAR_LINE = '\r\u001b[K';

/** The progress of a copy on stderr: one line that is redrawn on a terminal, else a line now and then. */
class CopyProgressLine {
  private readonly began = performance.now();
  private readonly interactive: boolean;
  private next = this.began + QUIET_FOR_MS;
  private drawn = false;

  constructor(private readonly io: Io) {
    this.interactive = isInteractive(io.stderr, io.environment);
  }

  readonly update = ({ files, totalFiles, bytes, totalBytes }: CopyProgress): void => {
    const now = performance.now();
    if (now < this.next) return;
    this.next = now + (this.interactive ? REDRAW_MS : LINE_MS);
    // A file can have grown since it was looked at.
    const total = Math.max(bytes, totalBytes);
    const text = `${formatBytes(bytes)} of ${formatBytes(total)}, ${files} of ${totalFiles} files, ${formatElapsed(now - this.began)}`;
    this.io.stderr.write(this.interactive ? `${CLEAR_LINE}${text}` : `${text}\n`);
    this.drawn = this.interactive;
  };

  /** Takes away what is redrawn. */
  clear(): void {
    if (this.drawn) this.io.stderr.write(CLEAR_LINE);
    this.drawn = false;
  }
}

/** Runs `copy`, shows its progress and what it skips on stderr, and prints the command's result. */
export async function showCopy(
  context: CliContext,
  source: string,
  destination: string,
  copy: (options: CopyOptions) => Promise<CopyResult>,
): Promise<void> {
  const progress = new CopyProgressLine(context.io);
  const { skipped } = await copy({
    signal: context.signal,
    onProgress: progress.update,
    onSkip: ({ path, reason }) => {
      progress.clear();
      context.note(`mngr-fargate: skipped ${path}: ${reason}`);
    },
  }).finally(() => progress.clear());
  context.result({ source, destination, skipped }, () => '');
}
