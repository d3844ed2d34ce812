import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { PipeReader } from './pipe-reader';

const nobody = (): void => undefined;
/** The mode of a pipe as it is made. */
const MODE = 0o600;

/**
 * A pipe that a command writes to. We have it open to write as well, so that it doesn't end before the command has opened it,
 * until the command is over: then it ends at once, unless somebody else still has it. What ends is as good as a new one.
 */
export class OutputPipe {
  /** Whom it belongs to. */
  readonly uid: number;
  private readonly reader: PipeReader;
  private writer: number | undefined;
  private hear: (bytes: Buffer) => void = nobody;
  private ended = false;

  constructor(readonly path: string) {
    this.reader = new PipeReader(path, (bytes) => this.hear(bytes));
    this.uid = fstatSync(this.reader.descriptor).uid;
    this.writer = openWriter(path);
  }

  /** Passes on what is written from now on. */
  listen(hear: (bytes: Buffer) => void): void {
    this.hear = hear;
  }

  /** Passes on all that its command, which is over, has written. */
  drain(): void {
    this.closeWriter();
    this.ended = this.reader.drain();
  }

  /** Makes it ready for another command. False if somebody else can still write to it, or has changed who may open it. */
  clear(): boolean {
    this.hear = nobody;
    if (!this.ended || (fstatSync(this.reader.descriptor).mode & 0o777) !== MODE) return false;
    this.writer = openWriter(this.path);
    this.ended = false;
    return true;
  }

  /** It ends when whoever still writes to it has. */
  discard(): void {
    this.closeWriter();
    this.reader.discard();
  }

  private closeWriter(): void {
    if (this.writer !== undefined) closeSync(this.writer);
    this.writer = undefined;
  }
}

/** Waits for nobody: we read from it. */
const openWriter = (path: string): number => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
