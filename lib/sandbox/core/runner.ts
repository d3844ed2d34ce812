import { setTimeout as delay } from 'node:timers/promises';
import type { CommandRequest, CommandResult } from '../../contract/sandboxd';
import { isSandboxError } from '../model/errors';
import type { Store, StoredEvent, StoredSession } from '../store';
import type { Changes } from './changes';
import { collect } from './collect';
import { isUnavailable } from './engines';
import type { Engines } from './engines';
import type { ServiceSecrets } from './secrets';
import type { Usage } from './usage';

/** Programs without a queue that run at once in one sandbox; the next ones wait. */
const MOST_AT_ONCE = 256;
const RETRY_MS = { first: 100, most: 5_000 } as const;
const LEASE_MS = 60_000;

/** The engine's id of an event's command: another one for each session and number, and the same after a restart. */
export const commandId = (generation: string, seq: number): string => `${generation}-${seq}`;

interface Parts {
  readonly store: Store;
  readonly engines: Engines;
  readonly secrets: ServiceSecrets;
  readonly changes: Changes;
  readonly usage: Usage;
  readonly resultBytes: number;
  /** Waits until the session's host is ready; throws if it never will be. */
  readonly whenReady: (generation: string, signal: AbortSignal) => Promise<StoredSession>;
  /** Hears that a session's engine can't be reached. */
  readonly onUnreachable: (generation: string) => void;
  readonly holder: string;
  readonly now: () => number;
}

interface Queue {
  readonly generation: string;
  readonly ended: AbortController;
  readonly waiting: StoredEvent[];
  readonly running: Map<number, StoredEvent>;
}

/**
 * Brings each event to its one end. The store is the queue: an event is in it before anybody hears of it, the engine
 * starts nothing again under an id that it knows, and the end is a compare-and-set; so whatever crashes, a command runs
 * once, and the next process goes on with it. Events of one queue name run in order; those without one at once.
 */
export class Runner {
  private readonly queues = new Map<string, Queue>();
  private readonly working = new Set<Promise<void>>();
  /** Ids of commands that the store calls running, and that the engine may not know yet. */
  private readonly starting = new Set<string>();
  private closed = false;

  constructor(private readonly parts: Parts) {}

  /** Takes on an event that was just stored. Events of a session must come in their order. */
  add(event: StoredEvent): void {
    if (this.closed) return;
    this.queueOf(event.generation).waiting.push(event);
    this.pump(event.generation);
  }

  /** Goes on with what an earlier process has left of a session. */
  async resume(generation: string): Promise<void> {
    await this.parts.store.takeLease(leaseOf(generation), this.parts.holder, this.parts.now(), this.leaseEnd());
    const queue = this.queueOf(generation);
    const known = new Set([...queue.waiting.map(({ seq }) => seq), ...queue.running.keys()]);
    const left = (await this.parts.store.openEvents(generation)).filter(({ seq }) => !known.has(seq));
    queue.waiting.unshift(...left);
    this.pump(generation);
  }

  /** Whether the session has events that haven't ended. */
  isBusy(generation: string): boolean {
    return this.queues.has(generation);
  }

  /** Waits until the engine knows a command that is running. */
  async handed(generation: string, seq: number, signal?: AbortSignal): Promise<void> {
    const { changes } = this.parts;
    while (!signal?.aborted) {
      const next = changes.next(...handing(generation, seq));
      if (!this.starting.has(commandId(generation, seq))) {
        next.done();
        return;
      }
      await changes.within(next, Infinity, signal);
    }
  }

  /** Forgets a session: the store has ended its events. */
  end(generation: string): void {
    this.queues.get(generation)?.ended.abort();
    this.queues.delete(generation);
  }

  async renewLeases(): Promise<void> {
    const { store, holder, now } = this.parts;
    for (const generation of this.queues.keys())
      await store.takeLease(leaseOf(generation), holder, now(), this.leaseEnd());
  }

  /** Stops following; commands run on. */
  async close(): Promise<void> {
    this.closed = true;
    for (const queue of this.queues.values()) queue.ended.abort();
    await Promise.all(this.working);
  }

  private leaseEnd(): number {
    return this.parts.now() + LEASE_MS;
  }

  private queueOf(generation: string): Queue {
    const known = this.queues.get(generation);
    if (known !== undefined) return known;
    const queue: Queue = { generation, ended: new AbortController(), waiting: [], running: new Map() };
    this.queues.set(generation, queue);
    return queue;
  }

  /** Starts what may run now. */
  private pump(generation: string): void {
    const queue = this.queues.get(generation);
    if (queue === undefined || this.closed) return;
    const taken = new Set([...queue.running.values()].map((event) => event.queue));
    for (let index = 0; index < queue.waiting.length;) {
      const event = queue.waiting[index] as StoredEvent;
      const free = event.queue === null ? queue.running.size < MOST_AT_ONCE : !taken.has(event.queue);
      if (!free) {
        index += 1;
        continue;
      }
      queue.waiting.splice(index, 1);
      if (event.queue !== null) taken.add(event.queue);
      this.launch(queue, event);
    }
    if (queue.waiting.length === 0 && queue.running.size === 0) this.queues.delete(generation);
  }

  private launch(queue: Queue, event: StoredEvent): void {
    queue.running.set(event.seq, event);
    const work = this.run(queue, event)
      .catch((error: unknown) => {
        // Nothing but the store can have failed: without it there is no end to write. The next start goes on.
        if (!queue.ended.signal.aborted)
          console.error(`event ${commandId(event.generation, event.seq)}: ${String(error)}`);
      })
      .finally(() => {
        this.working.delete(work);
        queue.running.delete(event.seq);
        this.parts.changes.tell(event.generation, event.seq);
        this.pump(queue.generation);
      });
    this.working.add(work);
  }

  private async run(queue: Queue, event: StoredEvent): Promise<void> {
    const { store, changes, usage, whenReady, now } = this.parts;
    const { generation, seq } = event;
    const { signal } = queue.ended;
    const request = this.requestOf(event);
    if (request === undefined) {
      await this.refuse(event, 'what it was to run can no longer be read: the secret of the service has changed');
      return;
    }
    let release = (): void => undefined;
    try {
      const session = await whenReady(generation, signal);
      release = usage.hold(session);
      this.starting.add(commandId(generation, seq));
      if (event.status === 'pending') {
        // Somebody has taken it back, or ended it with its session.
        if (!(await store.startEvent(generation, seq, now()))) return;
        changes.tell(generation, seq);
      }
      await this.follow(session, event, request, signal);
    } catch (error) {
      if (signal.aborted) return;
      // A session that can't become ready has ended its events itself.
      if (isUnavailable(error) || (isSandboxError(error) && error.code === 'start_failed')) return;
      await this.refuse(event, (error as Error).message);
    } finally {
      this.endStarting(event);
      release();
    }
  }

  private endStarting({ generation, seq }: StoredEvent): void {
    if (this.starting.delete(commandId(generation, seq))) this.parts.changes.tell(...handing(generation, seq));
  }

  private async follow(
    session: StoredSession,
    event: StoredEvent,
    request: CommandRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { engines, store, resultBytes, onUnreachable } = this.parts;
    const { generation, seq } = event;
    const id = commandId(generation, seq);
    for (let pause: number = RETRY_MS.first; ; pause = Math.min(pause * 2, RETRY_MS.most)) {
      try {
        const engine = await engines.get(session);
        signal.throwIfAborted();
        const command = { id, request, onTaken: () => this.endStarting(event) };
        const { status, log, cut } = await collect(engine, command, resultBytes, signal);
        const result = status.result as CommandResult;
        await store.endEvent(generation, seq, {
          status: result.reason === 'exit' && result.exitCode === 0 ? 'done' : 'error',
          at: status.endedAt ?? this.parts.now(),
          startedAt: status.startedAt,
          result,
          log,
          inEngine: cut ? 'more' : 'same',
        });
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        if (!isUnavailable(error)) throw error;
        onUnreachable(generation);
        await delay(pause, undefined, { signal });
      }
    }
  }

  private requestOf({ generation, seq, sealed }: StoredEvent): CommandRequest | undefined {
    try {
      return sealed === null
        ? undefined
        : (this.parts.secrets.unseal(sealContext(generation), sealed) as CommandRequest);
    } catch {
      console.error(`event ${commandId(generation, seq)} can't be opened`);
      return undefined;
    }
  }

  private async refuse(event: StoredEvent, detail: string): Promise<void> {
    await this.parts.store.endEvent(event.generation, event.seq, {
      status: 'error',
      at: this.parts.now(),
      result: endedWithoutRun('refused', detail),
      log: Buffer.alloc(0),
    });
  }
}

/** What `Changes` calls the moment at which the engine gets to know a command. */
const handing = (generation: string, seq: number) => [generation, seq, 'handed'] as const;

const leaseOf = (generation: string): string => `queue ${generation}`;

/** What sealed commands are bound to. */
export const sealContext = (generation: string): string => `command ${generation}`;

/** The result of a command that never ran, or whose end nobody knows. */
export const endedWithoutRun = (
  reason: 'lost' | 'refused' | 'signal',
  detail: string,
  signal: string | null = null,
): CommandResult => ({
  ...{ reason, detail, signal, exitCode: null, durationMs: 0 },
  ...{ stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0 },
});
