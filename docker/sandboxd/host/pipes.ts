import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, constants, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import type { SocketConstructorOpts } from 'node:net';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Keeper } from './keeper';

/** How many named pipes one mkfifo(1) makes: starting a program costs as much as using a hundred pipes. */
const BATCH = 96;
/** More than any pipe holds: an unprivileged process can make one as large as this. */
const MOST_IN_A_PIPE = 1024 * 1024;

/**
 * Named pipes for commands. Node's own pipes to children are sockets, which `/dev/stderr` can't open, and they end with the
 * engine. A named pipe stays, with the keeper at both of its ends, and an engine that starts anew opens it again.
 */
export class Pipes {
  private readonly free: string[] = [];
  private making: Promise<void> | undefined;

  constructor(
    readonly folder: string,
    private readonly keeper: Keeper,
  ) {}

  /** A pipe that only this user can open, with a keeper at both ends. */
  async take(uid: number, gid: number): Promise<string> {
    while (this.free.length === 0) await this.make();
    const path = this.free.pop() as string;
    if (this.free.length < BATCH / 3) this.make().catch(() => undefined);
    chownSync(path, uid, gid);
    this.keeper.hold(path);
    return path;
  }

  /** The pipe isn't needed by name. What still has it open goes on. */
  release(path: string): void {
    rmSync(path, { force: true });
    this.keeper.release(path);
  }

  /** Removes what an engine that was killed has left: all pipes but those in use. */
  removeOthers(used: ReadonlySet<string>): void {
    for (const name of readdirSync(this.folder)) {
      const path = join(this.folder, name);
      if (!used.has(path)) rmSync(path, { force: true, recursive: true });
    }
  }

  private make(): Promise<void> {
    this.making ??= this.makeBatch().finally(() => (this.making = undefined));
    return this.making;
  }

  private async makeBatch(): Promise<void> {
    const paths = Array.from({ length: BATCH }, () => join(this.folder, randomBytes(12).toString('hex')));
    await promisify(execFile)('mkfifo', ['-m', '600', '--', ...paths]);
    this.free.push(...paths);
  }
}

/** What all readers read into: what they pass on is only there for the time of the call. */
const SHARED = Buffer.allocUnsafe(64 * 1024);

/** The reading end of a pipe. It never waits: what it gets, it passes on, and whoever needs it later makes a copy. */
export class PipeReader {
  private readonly descriptor: number;
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

  /** Passes on what is in the pipe at this moment, without waiting for the event loop. */
  drain(): void {
    for (let total = 0; this.open && total < MOST_IN_A_PIPE;) {
      let count: number;
      try {
        count = readSync(this.descriptor, SHARED, 0, SHARED.length, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
        throw error;
      }
      if (count === 0) return;
      total += count;
      this.onData(SHARED.subarray(0, count));
    }
  }

  /** From now on what comes is read and thrown away, so that a process which still writes neither blocks nor dies. */
  discard(): void {
    this.listens = false;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A descriptor at both ends: it never waits for another process to open the pipe. */
export const openBothEnds = (path: string): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK);

/** A descriptor for a child, which must not be non-blocking. Opening waits for nobody as long as a keeper is at the other end. */
export const openForChild = (path: string, end: 'r' | 'w'): number => openSync(path, end);

export function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
