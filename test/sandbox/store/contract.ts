import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import type { EventEnd, NewEvent, NewSession, Store } from '../../../lib/sandbox/store';
import { frameOf } from '../../../lib/sandbox/store/frames';

export const NO_LIMITS = { all: 1_000_000, ofKey: 1_000_000 };
const AT = 1_800_000_000_000;

export const newSession = (changes: Partial<NewSession> = {}): NewSession => {
  const generation = randomBytes(8).toString('hex');
  return {
    ...{ tenant: 'default', id: `box-${generation}`, generation, keyId: 'key-1', hostName: `sandbox-${generation}` },
    ...{ createdAt: AT, ttlSeconds: 60, endsAt: AT + 3_600_000, image: null, cpu: 512, memory: 1024, metadata: {} },
    ...changes,
  };
};

export const newEvent = (changes: Partial<NewEvent> = {}): NewEvent => ({
  kind: 'exec_submit',
  payload: { cmd: 'true' },
  queue: 'main',
  sealed: Buffer.from('sealed'),
  submittedAt: AT,
  ...changes,
});

export const end = (changes: Partial<EventEnd> = {}): EventEnd => ({
  status: 'done',
  at: AT + 5,
  startedAt: AT + 1,
  result: {
    ...{ reason: 'exit', exitCode: 0, signal: null, durationMs: 4 },
    ...{ stdoutBytes: 2, stderrBytes: 1, droppedBytes: 0 },
  },
  log: Buffer.concat([
    frameOf({ type: 'stdout', offset: 0, bytes: Buffer.from('hi') }),
    frameOf({ type: 'stderr', offset: 2, bytes: Buffer.from([0xff]) }),
  ]),
  inEngine: 'same',
  ...changes,
});

/** What every store must do, whatever it is made of. `open` gives an empty one. */
export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const create = async (changes: Partial<NewSession> = {}) => {
      const session = newSession(changes);
      const outcome = await store.createSession(session, NO_LIMITS);
      expect(outcome.type).toBe('created');
      return session;
    };
    const submit = async (generation: string, changes: Partial<NewEvent> = {}) => {
      const outcome = await store.submitEvent(generation, newEvent(changes));
      if (outcome.type !== 'submitted') throw new Error(outcome.type);
      return outcome.event;
    };

    it('gives back the session that it was given', async () => {
      const session = newSession({ metadata: { project: 'x', nested: { a: [1] } }, image: 'repo/image:1' });
      const outcome = await store.createSession(session, NO_LIMITS);
      const stored = await store.session(session.tenant, session.id);
      expect(outcome).toEqual({ type: 'created', session: stored });
      expect(stored).toMatchObject({
        ...session,
        ...{ status: 'active', ready: false, expiresAt: AT + 60_000, lastActiveAt: AT, hostGone: false },
        ...{ destroyedAt: null, endReason: null, taskArn: null, problem: null, stages: { requested: AT } },
      });
      expect(await store.generation(session.generation)).toEqual(stored);
    });

    it('lets an id be used once at a time in each tenant, and again after its end', async () => {
      const first = await create({ id: 'same' });
      expect(await store.createSession(newSession({ id: 'same' }), NO_LIMITS)).toMatchObject({
        type: 'exists',
        session: { generation: first.generation },
      });
      await create({ id: 'same', tenant: 'other' });
      await store.moveSession(first.generation, { from: ['active'], to: 'stale', at: AT });
      expect(await store.createSession(newSession({ id: 'same' }), NO_LIMITS)).toMatchObject({ type: 'exists' });
      await store.moveSession(first.generation, { from: ['stale'], to: 'destroyed', at: AT, endReason: 'expired' });
      const second = await create({ id: 'same' });
      expect(await store.session('default', 'same')).toMatchObject({ generation: second.generation });
      expect(await store.generation(first.generation)).toMatchObject({ status: 'destroyed', endReason: 'expired' });
    });

    it('keeps the ceiling and the quota of a key, counting sessions whose host may be there', async () => {
      const limits = { all: 3, ofKey: 2 };
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, () => store.createSession(newSession({ keyId: 'a' }), limits)),
      );
      expect(outcomes.filter(({ type }) => type === 'created')).toHaveLength(2);
      expect(outcomes.filter(({ type }) => type === 'quota')).toHaveLength(8);
      expect(await store.createSession(newSession({ keyId: 'b' }), limits)).toMatchObject({ type: 'created' });
      expect(await store.createSession(newSession({ keyId: 'b' }), limits)).toMatchObject({ type: 'ceiling' });
      const [first] = await store.openSessions();
      const { generation } = first as { generation: string };
      await store.moveSession(generation, { from: ['active'], to: 'destroyed', at: AT, endReason: 'deleted' });
      expect(await store.createSession(newSession({ keyId: 'b' }), limits)).toMatchObject({ type: 'ceiling' });
      await store.recordHost(generation, { hostGone: true });
      expect(await store.createSession(newSession({ keyId: 'b' }), limits)).toMatchObject({ type: 'created' });
    });

    it('answers a repeated create with the same session for a day, and refuses another request', async () => {
      const key = { tenant: 'default', key: 'k', digest: 'one', at: AT };
      const session = newSession();
      expect(await store.createSession(session, NO_LIMITS, key)).toMatchObject({ type: 'created' });
      expect(await store.createSession(newSession(), NO_LIMITS, { ...key, at: AT + 1000 })).toMatchObject({
        type: 'repeated',
        session: { generation: session.generation },
      });
      expect(await store.createSession(newSession(), NO_LIMITS, { ...key, digest: 'two' })).toEqual({
        type: 'idempotency-conflict',
      });
      expect(await store.createSession(newSession(), NO_LIMITS, { ...key, tenant: 'b' })).toMatchObject({
        type: 'created',
      });
      const later = { ...key, digest: 'two', at: AT + 24 * 3_600_000 + 1 };
      expect(await store.createSession(newSession(), NO_LIMITS, later)).toMatchObject({ type: 'created' });
    });

    it('renews the time to live of active sessions alone, and never shortens it', async () => {
      const { generation } = await create();
      expect(await store.touch(generation, AT + 10_000)).toBe(true);
      expect(await store.touch(generation, AT + 5_000)).toBe(true);
      expect(await store.generation(generation)).toMatchObject({ lastActiveAt: AT + 10_000, expiresAt: AT + 70_000 });
      await store.moveSession(generation, { from: ['active'], to: 'stale', at: AT });
      expect(await store.touch(generation, AT + 20_000)).toBe(false);
      expect(await store.generation(generation)).toMatchObject({ expiresAt: AT + 70_000, staleAt: AT });
    });

    it('changes the time to live and single members of the metadata', async () => {
      const { generation } = await create({ metadata: { keep: 1, drop: 2, change: 3 } });
      const changed = await store.changeSession(generation, {
        ttlSeconds: 5,
        metadata: { drop: null, change: 'x', add: [true] },
        at: AT + 1000,
      });
      expect(changed).toMatchObject({
        ttlSeconds: 5,
        expiresAt: AT + 6000,
        metadata: { keep: 1, change: 'x', add: [true] },
      });
      expect(changed?.metadata).not.toHaveProperty('drop');
      await store.moveSession(generation, { from: ['active'], to: 'destroyed', at: AT });
      expect(await store.changeSession(generation, { ttlSeconds: 9, at: AT })).toBeUndefined();
    });

    it('keeps a session that its owner calls busy, until it is not', async () => {
      const { generation } = await create();
      expect(await store.changeSession(generation, { busyUntil: AT + 90_000, at: AT })).toMatchObject({
        busyUntil: AT + 90_000,
        expiresAt: AT + 60_000,
      });
      expect(await store.changeSession(generation, { ttlSeconds: 60, at: AT })).toMatchObject({
        busyUntil: AT + 90_000,
      });
      const stale = (expiredAt: number) =>
        store.moveSession(generation, { from: ['active'], to: 'stale', at: AT, expiredAt });
      expect(await stale(AT + 89_999)).toBeUndefined();
      expect(await store.changeSession(generation, { busyUntil: null, at: AT })).toMatchObject({ busyUntil: null });
      expect(await stale(AT + 60_000)).toMatchObject({ status: 'stale' });
    });

    it('moves a session once, and only from the states and past the time that are named', async () => {
      const { generation } = await create();
      const move = { from: ['active'], to: 'stale', at: AT + 60_000 } as const;
      expect(await store.moveSession(generation, { ...move, expiredAt: AT + 59_999 })).toBeUndefined();
      const both = await Promise.all(
        [1, 2].map(() => store.moveSession(generation, { ...move, expiredAt: AT + 60_000 })),
      );
      expect(both.filter((moved) => moved !== undefined)).toHaveLength(1);
      const gone = { from: ['active', 'stale'], to: 'destroyed', at: AT + 61_000, endReason: 'expired' } as const;
      expect(await store.moveSession(generation, gone)).toMatchObject({
        status: 'destroyed',
        destroyedAt: AT + 61_000,
      });
      expect(await store.moveSession(generation, gone)).toBeUndefined();
    });

    it('records what becomes known of a host without losing what was', async () => {
      const { generation } = await create();
      await store.recordHost(generation, { taskArn: 'arn', stages: { task: 1 } });
      await store.recordHost(generation, { ready: true, stages: { ready: 2 } });
      const stop = { stopCode: 'EssentialContainerExited', stoppedReason: 'x', containerReason: null, exitCode: 1 };
      await store.recordHost(generation, { stop, problem: 'it stopped', costUsd: 0.5 });
      expect(await store.generation(generation)).toMatchObject({
        ...{ taskArn: 'arn', ready: true, stop, problem: 'it stopped', costUsd: 0.5 },
        stages: { requested: AT, task: 1, ready: 2 },
      });
    });

    it('lists the newest session of each id of a tenant, by state and metadata, page by page', async () => {
      for (let index = 0; index < 5; index += 1)
        await create({ id: `a${index}`, metadata: { even: index % 2 === 0, n: index } });
      await create({ id: 'b', tenant: 'other', metadata: { even: true } });
      const old = await create({ id: 'again', metadata: { "it's": 'old' } });
      await store.moveSession(old.generation, { from: ['active'], to: 'destroyed', at: AT });
      await create({ id: 'again' });
      const ids = async (filter: Parameters<Store['sessions']>[0]) =>
        (await store.sessions(filter)).map(({ id }) => id);
      expect(await ids({ tenant: 'default', limit: 10 })).toEqual(['again', 'a4', 'a3', 'a2', 'a1', 'a0']);
      expect(await ids({ tenant: 'default', metadata: { even: 'true' }, limit: 10 })).toEqual(['a4', 'a2', 'a0']);
      expect(await ids({ tenant: 'default', metadata: { even: 'true', n: '2' }, limit: 10 })).toEqual(['a2']);
      expect(await ids({ tenant: 'default', metadata: { "it's": 'old' }, limit: 10 })).toEqual([]);
      expect(await ids({ tenant: 'default', status: ['destroyed'], limit: 10 })).toEqual([]);
      expect(await ids({ metadata: { even: 'true' }, limit: 10 })).toContain('b');
      const [first, second] = await store.sessions({ tenant: 'default', limit: 2 });
      expect(first?.id).toBe('again');
      expect(await ids({ tenant: 'default', limit: 2, after: second?.order })).toEqual(['a3', 'a2']);
    });

    it('numbers events from 1 without gaps, however many come at once', async () => {
      const { generation } = await create();
      const events = await Promise.all(Array.from({ length: 50 }, () => submit(generation)));
      expect(events.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      const other = await create();
      const event = await submit(other.generation, { queue: null, submittedAt: AT + 7000 });
      expect(event).toMatchObject({ seq: 1, status: 'pending', sessionId: other.id, result: null, queue: null });
      expect(new Set([...events, event].map(({ id }) => id)).size).toBe(51);
      expect(await store.generation(other.generation)).toMatchObject({
        lastActiveAt: AT + 7000,
        expiresAt: AT + 67_000,
      });
    });

    it('takes no event for a session that is not active', async () => {
      const { generation } = await create();
      await store.moveSession(generation, { from: ['active'], to: 'stale', at: AT });
      expect(await store.submitEvent(generation, newEvent())).toEqual({ type: 'inactive' });
      expect(await store.submitEvent('unknown', newEvent())).toEqual({ type: 'inactive' });
    });

    it('answers a repeated submit with the same event', async () => {
      const { generation } = await create();
      const other = await create();
      const key = { tenant: 'default', key: 'k', digest: 'd', at: AT };
      const first = await store.submitEvent(generation, newEvent(), key);
      expect(await store.submitEvent(generation, newEvent(), key)).toMatchObject({
        type: 'repeated',
        event: { seq: (first as { event: { seq: number } }).event.seq },
      });
      expect(await store.submitEvent(generation, newEvent(), { ...key, digest: 'e' })).toEqual({
        type: 'idempotency-conflict',
      });
      expect(await store.submitEvent(other.generation, newEvent(), key)).toEqual({ type: 'idempotency-conflict' });
      expect((await store.openEvents(generation)).map(({ seq }) => seq)).toEqual([1]);
    });

    it('starts an event once and ends it once, and then has nothing sealed', async () => {
      const { generation } = await create();
      const { seq } = await submit(generation);
      expect(await store.startEvent(generation, seq, AT + 1)).toBe(true);
      expect(await store.startEvent(generation, seq, AT + 1)).toBe(false);
      expect(await store.event(generation, seq)).toMatchObject({ status: 'running', sealed: Buffer.from('sealed') });
      const ends = await Promise.all([
        store.endEvent(generation, seq, end()),
        store.endEvent(generation, seq, end({ status: 'error' })),
      ]);
      expect(ends).toEqual([true, false]);
      expect(await store.event(generation, seq)).toMatchObject({
        ...{ status: 'done', sealed: null, startedAt: AT + 1, completedAt: AT + 5 },
        result: { reason: 'exit', exitCode: 0, stdout: Buffer.from('hi'), stderr: Buffer.from([0xff]) },
      });
      expect(await store.outputLog(generation, seq)).toEqual(end().log);
      expect(await store.openEvents(generation)).toEqual([]);
      expect(await store.startEvent(generation, seq, AT)).toBe(false);
    });

    it('takes back an event only as long as it has not started', async () => {
      const { generation } = await create();
      const [first, second] = [await submit(generation), await submit(generation)];
      await store.startEvent(generation, first.seq, AT);
      const taken = (seq: number) => store.endEvent(generation, seq, end({ status: 'error', pendingOnly: true }));
      expect([await taken(first.seq), await taken(second.seq)]).toEqual([false, true]);
      expect(await store.event(generation, first.seq)).toMatchObject({ status: 'running' });
      expect(await store.event(generation, second.seq)).toMatchObject({ status: 'error' });
    });

    it('ends all open events of a session at once', async () => {
      const { generation } = await create();
      for (let index = 0; index < 3; index += 1) await submit(generation);
      await store.endEvent(generation, 1, end());
      await store.startEvent(generation, 2, AT);
      expect(await store.busyGenerations()).toEqual([generation]);
      const { log: _, ...lost } = end({ status: 'error' });
      expect(await store.endOpenEvents(generation, { ...lost, result: { ...lost.result, reason: 'lost' } })).toEqual([
        2, 3,
      ]);
      expect(await store.event(generation, 1)).toMatchObject({ status: 'done' });
      expect(await store.event(generation, 3)).toMatchObject({ status: 'error', result: { reason: 'lost' } });
      expect(await store.busyGenerations()).toEqual([]);
    });

    it('pages through events, and ends a page early where their output is large', async () => {
      const { generation } = await create();
      for (let index = 0; index < 5; index += 1) await submit(generation);
      const large = frameOf({ type: 'stdout', offset: 0, bytes: Buffer.alloc(9 * 1024 * 1024, 'x') });
      for (const seq of [1, 2]) await store.endEvent(generation, seq, end({ log: large }));
      const page = async (afterSeq: number, limit: number) => {
        const { events, hasMore } = await store.events(generation, { afterSeq, limit });
        return [events.map(({ seq }) => seq), hasMore];
      };
      expect(await page(0, 50)).toEqual([[1], true]);
      expect(await page(1, 50)).toEqual([[2, 3, 4, 5], false]);
      expect(await page(2, 2)).toEqual([[3, 4], true]);
      expect(await page(5, 2)).toEqual([[], false]);
    });

    it('knows whose output the engine still has', async () => {
      const { generation } = await create();
      for (const inEngine of ['same', 'more', undefined] as const) {
        const { seq } = await submit(generation);
        await store.endEvent(generation, seq, end({ inEngine }));
      }
      expect(await store.keptByEngine(generation)).toEqual([
        { seq: 1, endedAt: AT + 5, has: 'same' },
        { seq: 2, endedAt: AT + 5, has: 'more' },
      ]);
      await store.forgottenByEngine(generation, [1]);
      expect((await store.keptByEngine(generation)).map(({ seq }) => seq)).toEqual([2]);
    });

    it('gives a lease to one holder until it runs out or is given back', async () => {
      expect(await store.takeLease('x', 'a', AT, AT + 100)).toBe(true);
      expect(await store.takeLease('x', 'b', AT + 99, AT + 200)).toBe(false);
      expect(await store.takeLease('x', 'a', AT + 50, AT + 150)).toBe(true);
      expect(await store.takeLease('x', 'b', AT + 150, AT + 300)).toBe(true);
      await store.releaseLease('x', 'a');
      expect(await store.takeLease('x', 'a', AT + 160, AT + 400)).toBe(false);
      await store.releaseLease('x', 'b');
      expect(await store.takeLease('x', 'a', AT + 160, AT + 400)).toBe(true);
    });

    it('keeps keys by unique names, and revoked ones out of the way', async () => {
      const key = {
        ...{ id: 'key-1', name: 'ci', tenant: 'default', admin: false, rate: 2.5, createdAt: AT },
        ...{ lastUsedAt: null, revokedAt: null, hash: randomBytes(32) },
      };
      expect(await store.putKey(key)).toBe(true);
      expect(await store.putKey({ ...key, id: 'key-2' })).toBe(false);
      await store.useKey('key-1', AT + 1);
      expect(await store.keys()).toEqual([{ ...key, lastUsedAt: AT + 1 }]);
      expect(await store.revokeKey('ci', AT + 2)).toMatchObject({ id: 'key-1', revokedAt: AT + 2 });
      expect(await store.revokeKey('ci', AT + 3)).toBeUndefined();
      expect(await store.putKey({ ...key, id: 'key-2' })).toBe(true);
      expect(await store.revokeKey('key-2', AT + 3)).toMatchObject({ name: 'ci' });
    });

    it('keeps an audit trail for each tenant, newest first', async () => {
      const entry = {
        at: AT,
        tenant: 'default',
        keyId: 'k',
        action: 'create',
        sessionId: 's',
        status: 201,
        requestId: 'r',
      };
      for (let index = 0; index < 3; index += 1) await store.audit({ ...entry, requestId: `r${index}` });
      await store.audit({ ...entry, tenant: 'other', sessionId: null });
      const [newest, second] = await store.auditTrail('default', { limit: 2 });
      expect([newest?.requestId, second?.requestId]).toEqual(['r2', 'r1']);
      expect(await store.auditTrail('default', { limit: 5, before: second?.order })).toMatchObject([
        { ...entry, requestId: 'r0' },
      ]);
    });

    it('prunes destroyed sessions whose host is gone with all that belongs to them, and nothing else', async () => {
      const [old, kept, open] = [await create(), await create(), await create()];
      for (const { generation } of [old, kept, open]) {
        await submit(generation);
        await store.endEvent(generation, 1, end());
      }
      const gone = { from: ['active'], to: 'destroyed', at: AT } as const;
      await store.moveSession(old.generation, gone);
      await store.recordHost(old.generation, { hostGone: true });
      await store.moveSession(kept.generation, gone);
      expect(await store.prune({ destroyed: AT + 1, audit: AT, idempotency: AT })).toEqual({ sessions: 1 });
      expect(await store.generation(old.generation)).toBeUndefined();
      expect(await store.event(old.generation, 1)).toBeUndefined();
      expect(await store.outputLog(old.generation, 1)).toBeUndefined();
      expect(await store.event(kept.generation, 1)).toBeDefined();
      expect(await store.event(open.generation, 1)).toBeDefined();
    });

    it('holds 1,000 sessions and finds each of them', async () => {
      const sessions = [];
      for (let index = 0; index < 1000; index += 1)
        sessions.push(await create({ id: `many-${index}`, metadata: { group: index % 10 } }));
      for (const { generation } of sessions) await submit(generation);
      expect(await store.openSessions()).toHaveLength(1000);
      expect(await store.busyGenerations()).toHaveLength(1000);
      expect(await store.sessions({ tenant: 'default', metadata: { group: '3' }, limit: 1000 })).toHaveLength(100);
      expect(await store.session('default', 'many-500')).toMatchObject({ generation: sessions[500]?.generation });
    });

    it('keeps every state legal under any sequence of calls', async () => {
      const step = fc.constantFrom('submit', 'start', 'end', 'cancel', 'stale', 'destroy', 'touch', 'endAll');
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const { generation } = await create();
          const ends = new Map<number, number>();
          let status = 'active';
          let submitted = 0;
          for (const what of steps) {
            const seq = 1 + ((submitted * 7) % Math.max(1, submitted));
            if (what === 'submit') {
              const { type } = await store.submitEvent(generation, newEvent());
              expect(type).toBe(status === 'active' ? 'submitted' : 'inactive');
              if (type === 'submitted') submitted += 1;
            } else if (what === 'start') await store.startEvent(generation, seq, AT);
            else if (what === 'end' || what === 'cancel') {
              if (await store.endEvent(generation, seq, end({ status: what === 'end' ? 'done' : 'error' })))
                ends.set(seq, (ends.get(seq) ?? 0) + 1);
            } else if (what === 'endAll') {
              const { log: _, ...rest } = end({ status: 'error' });
              for (const ended of await store.endOpenEvents(generation, rest))
                ends.set(ended, (ends.get(ended) ?? 0) + 1);
            } else if (what === 'touch') expect(await store.touch(generation, AT)).toBe(status === 'active');
            else {
              const to = what === 'stale' ? 'stale' : 'destroyed';
              const from = what === 'stale' ? (['active'] as const) : (['active', 'stale'] as const);
              const moved = await store.moveSession(generation, { from, to, at: AT });
              expect(moved !== undefined).toBe((from as readonly string[]).includes(status));
              if (moved !== undefined) status = to;
            }
          }
          const { events } = await store.events(generation, { afterSeq: 0, limit: 1000 });
          expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: submitted }, (_, index) => index + 1));
          for (const event of events) {
            const hasEnded = event.status === 'done' || event.status === 'error';
            expect(ends.get(event.seq) ?? 0).toBe(hasEnded ? 1 : 0);
            expect(event.sealed === null).toBe(hasEnded);
            expect(event.result !== null).toBe(hasEnded);
          }
        }),
        { numRuns: 50 },
      );
    });
  });
}
