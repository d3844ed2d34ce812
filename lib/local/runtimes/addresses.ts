import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { MngrFargateError } from '../../contract/errors';
import { writePrivateFileSync } from '../../util/atomic-file';
import type { TaskAddress } from './runtime';

/** First address of the pool and its size: 127.64.0.0/10, loopback that no common program uses. */
const POOL_START = 0x7f40_0000;
const POOL_SIZE = 0x40_0000;
const SSH_PORT = 22;
/** If port 22 is taken on this many addresses in a row, a server is listening on port 22 of every address. */
const TAKEN_IN_A_ROW = 3;

export interface AddressPoolOptions {
  /** File that keeps the reservations across a restart of the endpoint. Written with mode 0600. */
  readonly file: string;
  /** Endpoints start at different places in the pool, so that several on one machine don't collide. */
  readonly endpointId: string;
  /** True when a root-owned engine binds the ports, so that port 22 works although this process may not bind it. */
  readonly engineBindsPorts?: boolean;
  /** Addresses in the pool. Default: all of 127.64.0.0/10. A small pool makes reuse likely. */
  readonly size?: number;
  /** False if only 127.0.0.1 works, so that tasks differ by port. Default: true on Linux. */
  readonly ownAddresses?: boolean;
}

interface SavedPool {
  readonly next: number;
  readonly reserved: readonly (TaskAddress & { readonly taskId: string })[];
}

/**
 * Addresses for the sshds of concurrent tasks. On Linux every address of 127.0.0.0/8 is this machine's, so each task
 * has its own with port 22, as on Fargate; if port 22 isn't available, its own address with a free port. On other
 * systems only 127.0.0.1 exists, and tasks differ by port. Addresses are used in turn, so that none is used again
 * before all others have been.
 */
export class AddressPool {
  private readonly byTask = new Map<string, TaskAddress>();
  private readonly taken = new Set<string>();
  private readonly size: number;
  private readonly ownAddresses: boolean;
  private next: number;
  private port22: 'untried' | 'free' | 'taken' = 'untried';
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: AddressPoolOptions) {
    this.size = options.size ?? POOL_SIZE;
    this.ownAddresses = options.ownAddresses ?? process.platform === 'linux';
    const saved = readSaved(options.file);
    this.next = saved?.next ?? createHash('sha256').update(options.endpointId).digest().readUInt32BE(0) % this.size;
    for (const { taskId, ip, port } of saved?.reserved ?? []) this.take(taskId, { ip, port });
  }

  /** Reserves an address; a task that has one gets the same again. Throws `no-capacity` when the pool is used up. */
  reserve(taskId: string): Promise<TaskAddress> {
    const reservation = this.turn.then(() => this.reserveInTurn(taskId));
    this.turn = reservation.catch(() => undefined);
    return reservation;
  }

  /** Gives an address back. Idempotent. */
  release(address: TaskAddress): void {
    const [taskId] = [...this.byTask].find(([, { ip, port }]) => ip === address.ip && port === address.port) ?? [];
    if (taskId === undefined) return;
    this.byTask.delete(taskId);
    this.taken.delete(this.keyOf(address));
    this.save();
  }

  private async reserveInTurn(taskId: string): Promise<TaskAddress> {
    const held = this.byTask.get(taskId);
    if (held !== undefined) return held;
    const address = this.ownAddresses ? await this.own() : await this.shared();
    this.take(taskId, address);
    this.save();
    return address;
  }

  private take(taskId: string, address: TaskAddress): void {
    this.byTask.set(taskId, address);
    this.taken.add(this.keyOf(address));
  }

  /** What must be unique to each task. */
  private keyOf({ ip, port }: TaskAddress): string {
    return this.ownAddresses ? ip : String(port);
  }

  /** An address that no other task has, with port 22 where possible. */
  private async own(): Promise<TaskAddress> {
    let takenInARow = 0;
    for (let tried = 0; tried < this.size; tried += 1) {
      const ip = this.nextIp();
      if (ip === undefined) continue;
      if (this.port22 === 'taken') return { ip, port: await freePort(ip) };
      const state = await portState(ip, SSH_PORT, this.options.engineBindsPorts ?? false);
      if (state === 'free') {
        this.port22 = 'free';
        return { ip, port: SSH_PORT };
      }
      takenInARow += 1;
      if (state === 'forbidden' || (takenInARow >= TAKEN_IN_A_ROW && this.port22 === 'untried')) {
        this.port22 = 'taken';
        return { ip, port: await freePort(ip) };
      }
    }
    throw new MngrFargateError('no-capacity', `all ${this.size} local addresses for tasks are in use`, {
      hint: 'destroy hosts that are no longer needed',
    });
  }

  private async shared(): Promise<TaskAddress> {
    for (;;) {
      const address = { ip: '127.0.0.1', port: await freePort('127.0.0.1') };
      if (!this.taken.has(this.keyOf(address))) return address;
    }
  }

  /** The next address of the walk, or undefined when it is reserved or looks like a network or broadcast address. */
  private nextIp(): string | undefined {
    const value = POOL_START + this.next;
    this.next = (this.next + 1) % this.size;
    const ip = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
    const unusual = (value & 255) === 0 || (value & 255) === 255;
    return unusual || this.taken.has(ip) ? undefined : ip;
  }

  private save(): void {
    const saved: SavedPool = {
      next: this.next,
      reserved: [...this.byTask].map(([taskId, address]) => ({ taskId, ...address })),
    };
    writePrivateFileSync(this.options.file, JSON.stringify(saved));
  }
}

function readSaved(file: string): SavedPool | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SavedPool;
  } catch {
    return undefined;
  }
}

function freePort(ip: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: ip, port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function portState(ip: string, port: number, engineBindsPorts: boolean): Promise<'free' | 'taken' | 'forbidden'> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EACCES') resolve('taken');
      else if (engineBindsPorts) resolve(answers(ip, port).then((taken) => (taken ? 'taken' : 'free')));
      else resolve('forbidden');
    });
    server.listen({ host: ip, port, exclusive: true }, () => server.close(() => resolve('free')));
  });
}

function answers(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
