import { isMngrFargateError } from '../../contract/errors';
import type { CreateProgress, CreateStep, Host } from '../../hosts';
import { orAborted } from '../../util/abort';
import { Semaphore } from '../../util/bounded';
import { isSandboxError, SandboxError } from '../model/errors';
import type { EndReason, SessionStatus } from '../model/types';
import type { Stages, StopFacts, Store, StoredSession } from '../store';
import type { Changes } from './changes';
import type { Engines } from './engines';
import { endedWithoutRun } from './runner';
import type { SessionHosts } from './session-hosts';

/** Hosts that are started at once; RunTask allows a burst of 100, then 20 a second. */
const STARTS_AT_ONCE = 64;
/** A host whose engine can't be reached is looked up at ECS this often at most, in milliseconds. */
const CHECK_MS = 1_000;

const STAGE_OF: Readonly<Partial<Record<CreateStep, keyof Stages>>> = { address: 'task', ssh: 'address', setup: 'ssh' };

interface Parts {
  readonly store: Store;
  readonly hosts: SessionHosts;
  readonly engines: Engines;
  readonly changes: Changes;
  /** Forgets what a session had to run. */
  readonly endRunner: (generation: string) => void;
  readonly now: () => number;
}

interface Start {
  readonly done: Promise<void>;
  readonly abort: AbortController;
}

/** From the start of a session's host to its end. The store says what is; this makes it so, and can be asked twice. */
export class Lifecycle {
  private readonly starts = new Map<string, Start>();
  private readonly checkedAt = new Map<string, number>();
  private readonly slots = new Semaphore(STARTS_AT_ONCE);
  private readonly work = new Set<Promise<void>>();
  private closed = false;

  constructor(private readonly parts: Parts) {}

  /** Starts the session's host in the background, once. */
  start(session: StoredSession, isNew: boolean): void {
    const { generation } = session;
    if (this.closed || session.ready || this.starts.has(generation)) return;
    const abort = new AbortController();
    const done = this.slots
      .run(() => this.bringUp(session, isNew, abort.signal))
      .catch((error: unknown) => this.failed(session, error, abort.signal))
      .finally(() => {
        this.starts.delete(generation);
        this.parts.changes.tell(generation);
      });
    this.starts.set(generation, { done, abort });
  }

  isStarting(generation: string): boolean {
    return this.starts.has(generation);
  }

  /** The session once its host is ready. Throws `start_failed` if it won't be, `session_not_found` once it is destroyed. */
  async whenReady(generation: string, signal?: AbortSignal): Promise<StoredSession> {
    for (;;) {
      const session = await this.parts.store.generation(generation);
      if (session === undefined) throw new SandboxError('session_not_found', 'the session is gone');
      if (session.status === 'destroyed') throw endOf(session);
      if (session.ready) return session;
      if (this.closed)
        throw new SandboxError('shutting_down', 'the service is shutting down', { retryAfterSeconds: 2 });
      this.start(session, false);
      const { done } = this.starts.get(generation) as Start;
      await orAborted(done, 'waiting for the sandbox', signal);
    }
  }

  /**
   * Moves the session to destroyed, ends its events and stops its host. Undefined if it wasn't in one of the states. A host
   * that can't be stopped now is stopped by a sweep.
   */
  async destroy(
    generation: string,
    from: readonly SessionStatus[],
    endReason: EndReason,
    problem?: string,
  ): Promise<StoredSession | undefined> {
    const { store, changes, endRunner, engines, now } = this.parts;
    const at = now();
    const session = await store.moveSession(generation, { from, to: 'destroyed', at, endReason, problem });
    if (session === undefined) return undefined;
    endRunner(generation);
    const detail = `the sandbox has ended: ${problem ?? endWords(endReason)}`;
    const ended = await store.endOpenEvents(generation, {
      status: 'error',
      at,
      result: endedWithoutRun('lost', detail),
    });
    for (const seq of ended) changes.tell(generation, seq);
    changes.tell(generation);
    this.starts.get(generation)?.abort.abort();
    await this.starts.get(generation)?.done;
    await engines.drop(generation);
    await this.stopHost(session);
    return session;
  }

  /** Stops the host of a destroyed session. Says nothing if it can't: the next sweep tries again. */
  async stopHost(session: StoredSession): Promise<void> {
    const { store, hosts, now } = this.parts;
    const { generation } = session;
    try {
      const current = (await store.generation(generation)) ?? session;
      if (current.hostGone) return;
      const host = await hosts.find(current);
      await hosts.stop(current);
      await store.recordHost(generation, {
        hostGone: true,
        stages: { stopped: now() },
        ...(host !== undefined && { costUsd: host.costUsd, taskArn: host.taskArn }),
        ...(host?.state === 'STOPPED' && { stop: stopFactsOf(host) }),
      });
    } catch (error) {
      console.error(`the host of session ${generation} can't be stopped yet: ${(error as Error).message}`);
    }
  }

  /** Ends a session whose task has stopped. Called when its engine can't be reached, so it may be asked often. */
  async check(generation: string): Promise<void> {
    const { store, hosts, now } = this.parts;
    if (now() - (this.checkedAt.get(generation) ?? -Infinity) < CHECK_MS || this.closed) return;
    this.checkedAt.set(generation, now());
    try {
      const session = await store.generation(generation);
      if (session === undefined || session.status === 'destroyed' || !session.ready) return;
      const host = await hosts.find(session);
      if (
        host !== undefined &&
        host.state !== 'STOPPED' &&
        host.state !== 'STOPPING' &&
        host.state !== 'DEPROVISIONING'
      )
        return;
      await this.hostStopped(session, host);
    } catch (error) {
      console.error(`the host of session ${generation} can't be looked up: ${(error as Error).message}`);
    } finally {
      if (this.checkedAt.size > 1000) this.checkedAt.clear();
    }
  }

  checkSoon(generation: string): void {
    this.inBackground(this.check(generation));
  }

  inBackground(work: Promise<void>): void {
    const heard = work.catch(() => undefined).finally(() => this.work.delete(heard));
    this.work.add(heard);
  }

  /** A host that is being started is stopped: the next process starts it again. */
  async close(): Promise<void> {
    this.closed = true;
    for (const { abort } of this.starts.values()) abort.abort();
    await Promise.all([...this.starts.values()].map(({ done }) => done));
    await Promise.all(this.work);
  }

  private async bringUp(session: StoredSession, isNew: boolean, signal: AbortSignal): Promise<void> {
    const { store, hosts, engines, now } = this.parts;
    const { generation } = session;
    // Destroyed between its creation and this. From here on that aborts the signal.
    if ((await store.generation(generation))?.status === 'destroyed') return;
    signal.throwIfAborted();
    const reached: Record<string, number> = {};
    let taskArn: string | undefined;
    const onProgress = (progress: CreateProgress): void => {
      const stage = STAGE_OF[progress.step];
      const isKnown = stage === undefined || reached[stage] !== undefined;
      if (isKnown && (progress.taskArn === null || taskArn !== undefined)) return;
      if (stage !== undefined) reached[stage] ??= now();
      taskArn ??= progress.taskArn ?? undefined;
      this.inBackground(store.recordHost(generation, { taskArn, stages: { ...reached } }));
    };
    const host = await hosts.start(session, { isNew, signal, onProgress });
    await store.recordHost(generation, { taskArn: host.taskArn, stages: { ...reached } });
    const started = { ...session, taskArn: host.taskArn };
    signal.throwIfAborted();
    await engines.get(started);
    // From now on its time counts: a slow start must not use it up.
    await store.touch(generation, now());
    await store.recordHost(generation, { ready: true, stages: { ready: now() } });
  }

  private async failed(session: StoredSession, error: unknown, signal: AbortSignal): Promise<void> {
    // Destroyed meanwhile, or this process ends: the next one goes on.
    if (signal.aborted) return;
    const { store } = this.parts;
    const details = isMngrFargateError(error) ? error.details : {};
    const hint = isMngrFargateError(error) || isSandboxError(error) ? hintOf(error) : undefined;
    const problem = `${(error as Error).message}${hint === undefined ? '' : ` (${hint})`}`;
    const stop = stopFactsOfDetails(details);
    if (stop !== undefined) await store.recordHost(session.generation, { stop });
    const { generation } = session;
    const { starts } = this;
    // `destroy` waits for the start, which is this.
    starts.delete(generation);
    await this.destroy(generation, ['active', 'stale'], 'failed', problem);
  }

  /** For a task that ECS says has stopped, or doesn't show any more. */
  async hostStopped(session: StoredSession, host: Host | undefined): Promise<void> {
    const { store } = this.parts;
    const reason = host?.stoppedReason ?? host?.containerReason ?? 'ECS does not show its task any more';
    if (host !== undefined)
      await store.recordHost(session.generation, { stop: stopFactsOf(host), costUsd: host.costUsd });
    await this.destroy(session.generation, ['active', 'stale'], 'host-stopped', `its task has stopped: ${reason}`);
  }
}

const hintOf = (error: unknown): string | undefined => (isMngrFargateError(error) ? error.hint : undefined);

export const stopFactsOf = ({ stopCode, stoppedReason, containerReason, exitCode }: Host): StopFacts => ({
  stopCode,
  stoppedReason,
  containerReason,
  exitCode,
});

/** What the error of a failed create says about its task. */
function stopFactsOfDetails(details: Readonly<Record<string, unknown>>): StopFacts | undefined {
  const text = (name: string): string | null => (typeof details[name] === 'string' ? (details[name] as string) : null);
  const facts = {
    ...{ stopCode: text('stopCode'), stoppedReason: text('stoppedReason'), containerReason: text('containerReason') },
    exitCode: typeof details.exitCode === 'number' ? details.exitCode : null,
  };
  return Object.values(facts).every((value) => value === null) ? undefined : facts;
}

const END_WORDS: Readonly<Record<EndReason, string>> = {
  deleted: 'it was destroyed',
  expired: 'its time to live ran out',
  'max-age': 'it reached its maximum age',
  failed: 'it could not be started',
  'host-stopped': 'its task has stopped',
  orphaned: 'its task is gone',
};

const endWords = (reason: EndReason): string => END_WORDS[reason];

/** Why a destroyed session can't be used. */
export function endOf({ endReason, problem }: StoredSession): SandboxError {
  if (endReason === 'failed')
    return new SandboxError('start_failed', `the sandbox could not be started: ${problem ?? 'no reason is known'}`);
  return new SandboxError('session_not_found', `the session has ended: ${problem ?? endWords(endReason ?? 'deleted')}`);
}
