import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const flushed = promisify(fdatasync);

/** Brings a file to the disk beside the work of this process. Who asks while a flush runs shares the next one. */
export class Flush {
  private readonly descriptor: number;
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(file: string) {
    this.descriptor = openSync(file, 'r');
  }

  /** Resolves once all that was written before the call is on the disk; calls in their order. */
  all(): Promise<void> {
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return (this.running = flushed(this.descriptor));
      });
    return this.next;
  }

  async close(): Promise<void> {
    await (this.next ?? this.running).catch(() => undefined);
    closeSync(this.descriptor);
  }
}
