import { constants, openSync, readSync } from 'node:fs';
import type { SocketConstructorOpts } from 'node:net';
import { Socket } from 'node:net';

/** More than any pipe holds: an unprivileged process can make one as large as this. */
const MOST_IN_A_PIPE = 1024 * 1024;

/** What all readers read into: what they pass on is only there for the time of the call. */
const SHARED = Buffer.allocUnsafe(64 * 1024);

/** The reading end of a pipe. It never waits: what it gets, it passes on, and whoever needs it later makes a copy. */
export class PipeReader {
  readonly descriptor: number;
  private readonly socket: Socket;
  private open = true;
  private listens = true;

  constructor(
    path: string,
    private readonly onData: (bytes: Buffer) => void,
    onEnd: () => void = () => undefined,
  ) {
    this.descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const onread = {
      buffer: SHARED,
      callback: (count: number): boolean => {
        if (this.listens) this.onData(SHARED.subarray(0, count));
        return true;
      },
    };
    // One buffer for all: a program that writes little at a time would cost an allocation of 64 KiB each time.
    // (Node's types know `onread` for connections only.)
    const options: SocketConstructorOpts = Object.assign(
      { fd: this.descriptor, readable: true, writable: false },
      { onread },
    );
    this.socket = new Socket(options);
    this.socket.resume();
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.open = false;
      onEnd();
    });
  }

  /** Passes on what is in the pipe at this moment, without waiting for the event loop. True if nobody can write to it. */
  drain(): boolean {
    for (let total = 0; this.open && total < MOST_IN_A_PIPE;) {
      let count: number;
      try {
        count = readSync(this.descriptor, SHARED, 0, SHARED.length, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
        throw error;
      }
      if (count === 0) return true;
      total += count;
      this.onData(SHARED.subarray(0, count));
    }
    return false;
  }

  /** From now on what comes is read and thrown away, so that a process which still writes neither blocks nor dies. */
  discard(): void {
    this.listens = false;
  }

  close(): void {
    this.socket.destroy();
  }
}
