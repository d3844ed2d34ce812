import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, constants, openSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Keeper } from './keeper';
import { OutputPipe } from './output-pipe';

/** How many named pipes one mkfifo(1) makes: starting a program costs as much as using a hundred pipes. */
const BATCH = 96;
/** Pipes of one user that wait for the next commands. Each takes three descriptors. */
const MOST_CLEAN = 64;

/**
 * Named pipes for commands. Node's own pipes to children are sockets, which `/dev/stderr` can't open, and they end with the
 * engine. A named pipe stays, with the keeper at both of its ends, and an engine that starts anew opens it again.
 */
export class Pipes {
  private readonly free: string[] = [];
  /** Of each user, by number. */
  private readonly clean = new Map<number, OutputPipe[]>();
  private making: Promise<void> | undefined;

  constructor(
    readonly folder: string,
    private readonly keeper: Keeper,
  ) {}

  /** A pipe that only this user can open, with a keeper at both ends. */
  async take(uid: number, gid: number): Promise<string> {
    const path = await this.unused(uid, gid);
    this.keeper.hold(path);
    return path;
  }

  /** A pipe for what one of this user's commands writes: one that an earlier command has left clean, or a new one. */
  async takeOutput(uid: number, gid: number): Promise<OutputPipe> {
    return this.clean.get(uid)?.pop() ?? this.joinOutput(await this.unused(uid, gid));
  }

  /** The output of a command that an earlier engine has started. */
  joinOutput(path: string): OutputPipe {
    const pipe = new OutputPipe(path);
    this.keeper.holdReader(path);
    return pipe;
  }

  /** The pipe isn't needed by name. What still has it open goes on. */
  release(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    this.keeper.release(path);
  }

  /** Its command has ended. Whoever still writes to it goes on, into the void. */
  releaseOutput(pipe: OutputPipe): void {
    const { uid } = pipe;
    const clean = this.clean.get(uid) ?? [];
    this.clean.set(uid, clean);
    if (clean.length < MOST_CLEAN && pipe.clear()) {
      clean.push(pipe);
      return;
    }
    pipe.discard();
    this.release(pipe.path);
  }

  /** Removes what an engine that was killed has left: all pipes but those in use. */
  removeOthers(used: ReadonlySet<string>): void {
    for (const name of readdirSync(this.folder)) {
      const path = join(this.folder, name);
      if (used.has(path)) continue;
      rmSync(path, { force: true, recursive: true });
      this.keeper.release(path);
    }
  }

  private async unused(uid: number, gid: number): Promise<string> {
    while (this.free.length === 0) await this.make();
    const path = this.free.pop() as string;
    if (this.free.length < BATCH / 3) this.make().catch(() => undefined);
    chownSync(path, uid, gid);
    return path;
  }

  private make(): Promise<void> {
    this.making ??= this.makeBatch().finally(() => (this.making = undefined));
    return this.making;
  }

  private async makeBatch(): Promise<void> {
    const paths = Array.from({ length: BATCH }, () => join(this.folder, randomBytes(12).toString('base64url')));
    await promisify(execFile)('mkfifo', ['-m', '600', '--', ...paths]);
    this.free.push(...paths);
  }
}

/** A descriptor at both ends: it never waits for another process to open the pipe. */
export const openBothEnds = (path: string): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK);

/** A descriptor for a child, which must not be non-blocking. Opening waits for nobody as long as a keeper is at the other end. */
export const openForChild = (path: string, end: 'r' | 'w'): number => openSync(path, end);

export function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
