import type { CreateProgress } from '../../hosts/model/types';
import type { Progress } from './progress';
import { describeStep } from './progress';
import { jsonLine } from '../../util/printable';

/** Time between two lines when nothing changes. Milliseconds. */
const REPEAT = 1_000;

/**
 * One line of JSON for each change, for the program that started this one. What was said last is repeated each second:
 * when that program dies, the broken pipe ends the create, which stops its tasks.
 */
export class JsonProgress implements Progress {
  private readonly last = new Map<string, CreateProgress>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly output: NodeJS.WritableStream) {
    this.timer = setInterval(() => {
      for (const progress of this.last.values()) this.print(progress);
    }, REPEAT);
  }

  update(progress: CreateProgress): void {
    this.last.set(progress.name, progress);
    this.print(progress);
  }

  finish(name: string): void {
    this.last.delete(name);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private print(progress: CreateProgress): void {
    const line = { event: 'progress', ...progress, text: describeStep(progress) };
    this.output.write(`${jsonLine(line)}\n`);
  }
}
