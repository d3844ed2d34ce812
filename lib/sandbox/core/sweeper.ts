import type { Host } from '../../hosts';
import type { Store, StoredSession } from '../store';
import type { Engines } from './engines';
import type { Lifecycle } from './lifecycle';
import { commandId } from './runner';
import type { Runner } from './runner';
import type { SessionHosts } from './session-hosts';
import type { Usage } from './usage';

/** Milliseconds between two looks. */
export interface SweepTimes {
  /** For sessions past their time: stale within a minute is what is promised. */
  readonly expiry: number;
  /** How long a session is stale before it is destroyed. */
  readonly staleFor: number;
  /** For tasks without a session and sessions without a task. */
  readonly orphans: number;
  readonly renewal: number;
  readonly pruning: number;
}

export const SWEEP_TIMES: SweepTimes = {
  expiry: 5_000,
  staleFor: 30_000,
  orphans: 30_000,
  renewal: 2_000,
  pruning: 10 * 60_000,
};

const DAY_MS = 24 * 60 * 60 * 1000;
const AUDIT_DAYS = 90;
/** Output that the store has too stays in the engine for this long, for streams that read it. */
const SAME_KEPT_MS = 60_000;
/** Outputs that are longer than what the store keeps, which stay in the engine: this many of a session, the newest. */
const LONG_KEPT = 16;
/** A task that ECS doesn't show yet may have been started a moment ago. */
const VISIBLE_MS = 30_000;

interface Parts {
  readonly store: Store;
  readonly hosts: SessionHosts;
  readonly engines: Engines;
  readonly lifecycle: Lifecycle;
  readonly runner: Runner;
  readonly usage: Usage;
  readonly staleAfterSeconds: number | undefined;
  readonly retentionDays: number;
  readonly holder: string;
  readonly now: () => number;
  readonly times: SweepTimes;
}

/** What happens without being asked: renewals, expiry, sweeps in both directions, and forgetting. */
export class Sweeper {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly closing = new AbortController();

  constructor(private readonly parts: Parts) {}

  start(): void {
    const { times } = this.parts;
    this.every(times.renewal, 'renewing sessions in use', () => this.renew());
    this.every(times.expiry, 'looking for sessions past their time', () => this.alone('expiry', () => this.expire()));
    this.every(times.orphans, 'looking for orphans', () => this.alone('orphans', () => this.sweep()));
    this.every(times.orphans, 'forgetting old output', () => this.forget());
    this.every(times.pruning, 'removing what is old', () => this.alone('pruning', () => this.prune()));
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.timers.forEach(clearInterval);
    await Promise.all(this.running);
  }

  async renew(): Promise<void> {
    await this.parts.usage.renew();
    await this.parts.runner.renewLeases();
  }

  /** Active sessions past their time become stale; stale ones are destroyed after a while, with their hosts. */
  async expire(): Promise<void> {
    const { store, lifecycle, now, times } = this.parts;
    const at = now();
    for (const session of await store.openSessions()) {
      const { generation, status } = session;
      if (status === 'active' && session.endsAt <= at) this.destroy(session, 'max-age');
      else if (status === 'active' && this.isPast(session, at)) {
        const onlyTtl = session.expiresAt <= at;
        const move = { from: ['active'], to: 'stale', at, endReason: 'expired' } as const;
        await store.moveSession(generation, { ...move, ...(onlyTtl && { expiredAt: at }) });
      } else if (status === 'stale' && (session.staleAt ?? 0) + times.staleFor <= at) this.destroy(session, 'expired');
      else if (status === 'destroyed' && !session.hostGone && !lifecycle.isStarting(generation))
        lifecycle.inBackground(lifecycle.stopHost(session));
    }
  }

  /**
   * ECS has the last word. A task with this service's tag whose session is gone is stopped; a session whose task is gone
   * ends. Hosts without the tag are nobody's business here.
   */
  async sweep(): Promise<void> {
    const { store, hosts, lifecycle, now } = this.parts;
    const { signal } = this.closing;
    const running = await hosts.running(signal);
    const sessions = await store.openSessions();
    const known = new Set(sessions.filter(({ hostGone }) => !hostGone).map(({ generation }) => generation));
    const orphans: Host[] = [];
    for (const { host, generation } of running) {
      if (known.has(generation)) continue;
      // It may have been stored since the list was read.
      const session = await store.generation(generation);
      if (session === undefined || session.hostGone) orphans.push(host);
    }
    if (orphans.length > 0) await hosts.stopEach(orphans, signal);
    const present = new Set(running.map(({ generation }) => generation));
    for (const session of sessions) {
      const settled = now() - (session.stages.ready ?? now()) > VISIBLE_MS;
      if (session.status !== 'destroyed' && session.ready && settled && !present.has(session.generation))
        await lifecycle.check(session.generation);
    }
  }

  /** Lets engines forget output that nobody needs there any more. */
  async forget(): Promise<void> {
    const { store, engines, now } = this.parts;
    const { signal } = this.closing;
    for (const { generation } of await store.openSessions()) {
      const engine = await engines.connected(generation);
      if (engine === undefined) continue;
      const kept = await store.keptByEngine(generation);
      const long = kept.filter(({ has }) => has === 'more');
      const old = [
        ...kept.filter(({ has, endedAt }) => has === 'same' && endedAt < now() - SAME_KEPT_MS),
        ...long.slice(0, Math.max(0, long.length - LONG_KEPT)),
      ].map(({ seq }) => seq);
      if (old.length === 0) continue;
      await store.forgottenByEngine(generation, old);
      for (const seq of old) await engine.forget(commandId(generation, seq), { signal }).catch(() => undefined);
    }
  }

  async prune(): Promise<void> {
    const { store, retentionDays, now } = this.parts;
    const at = now();
    await store.prune({
      destroyed: at - retentionDays * DAY_MS,
      audit: at - AUDIT_DAYS * DAY_MS,
      idempotency: at - DAY_MS,
    });
  }

  private isPast(session: StoredSession, at: number): boolean {
    const { usage, runner, lifecycle, staleAfterSeconds } = this.parts;
    const { generation, expiresAt, busyUntil, lastActiveAt } = session;
    if ((busyUntil ?? 0) > at) return false;
    if (usage.isHeld(generation) || runner.isBusy(generation) || lifecycle.isStarting(generation)) return false;
    return expiresAt <= at || (staleAfterSeconds !== undefined && lastActiveAt + staleAfterSeconds * 1000 <= at);
  }

  private destroy({ generation }: StoredSession, reason: 'max-age' | 'expired'): void {
    const { lifecycle } = this.parts;
    lifecycle.inBackground(lifecycle.destroy(generation, ['active', 'stale'], reason).then(() => undefined));
  }

  /** Of several replicas, one does it. */
  private async alone(name: string, work: () => Promise<void>): Promise<void> {
    const { store, holder, now, times } = this.parts;
    const until = now() + 3 * Math.max(times.expiry, times.orphans);
    if (await store.takeLease(`sweep ${name}`, holder, now(), until)) await work();
  }

  private every(milliseconds: number, doing: string, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy || this.closing.signal.aborted) return;
      busy = true;
      const run = work()
        .catch((error: unknown) => {
          if (!this.closing.signal.aborted) console.error(`sandbox service: ${doing}: ${(error as Error).message}`);
        })
        .finally(() => {
          busy = false;
          this.running.delete(run);
        });
      this.running.add(run);
    }, milliseconds);
    this.timers.push(timer);
  }
}
