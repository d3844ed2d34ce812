import type { CreateProgress } from '../../hosts/model/types';
import { formatElapsed } from '../render/format';
import type { Progress } from './progress';
import { describeStep } from './progress';
import { printable } from '../../util/printable';

/** One line for each change, for logs and pipes. */
export class LineProgress implements Progress {
  private readonly shown = new Map<string, string>();

  constructor(private readonly output: NodeJS.WritableStream) {}

  update(progress: CreateProgress): void {
    const text = describeStep(progress);
    if (this.shown.get(progress.name) === text) return;
    this.shown.set(progress.name, text);
    this.output.write(`${formatElapsed(progress.elapsedMs).padStart(7)}  ${printable(`${progress.name}: ${text}`)}\n`);
  }

  finish(): void {
    // The last update and the result, or the error, say it all.
  }

  close(): void {
    this.shown.clear();
  }
}
