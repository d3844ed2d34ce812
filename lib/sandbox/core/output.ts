import { setTimeout as delay } from 'node:timers/promises';
import { isSandboxError, SandboxError } from '../model/errors';
import { hasEnded } from '../model/types';
import type { OutputPiece, SandboxEvent } from '../model/types';
import type { Store, StoredSession } from '../store';
import { piecesFrom, piecesOf } from '../store/frames';
import type { Changes } from './changes';
import { isUnavailable } from './engines';
import type { Engines } from './engines';
import { commandId } from './runner';
import { eventView } from './views';

const ALIVE_MS = 15_000;
const RETRY_MS = { first: 100, most: 2_000 } as const;

interface Parts {
  readonly store: Store;
  readonly engines: Engines;
  readonly changes: Changes;
  /** Waits until the engine knows a command that is running. */
  readonly handed: (generation: string, seq: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * A command's output from an offset on, live, up to one `exit`. It is read from the engine while the command runs, and from
 * the store once it has ended and the store has all of it; a lost connection or a restarted engine costs a pause.
 */
export async function* outputOf(
  { store, engines, changes, handed }: Parts,
  session: StoredSession,
  seq: number,
  { from = 0, signal }: { readonly from?: number; readonly signal?: AbortSignal },
): AsyncGenerator<OutputPiece> {
  const { generation } = session;
  const id = commandId(generation, seq);
  let offset = from;
  for (let pause: number = RETRY_MS.first; ;) {
    const next = changes.next(generation, seq);
    const event = await store.event(generation, seq);
    if (event === undefined) throw new SandboxError('event_not_found', `there is no event ${seq}`);
    const ended = hasEnded(event);
    if (event.status === 'pending') {
      await changes.within(next, ALIVE_MS, signal);
      if (signal?.aborted) return;
      yield { type: 'alive' };
      continue;
    }
    next.done();
    if (ended && !(await hasMore(store, generation, seq))) {
      yield* stored(store, generation, seq, offset, eventView(event));
      return;
    }
    try {
      const engine = await engines.get(session);
      await handed(generation, seq, signal);
      for await (const piece of engine.output(id, { from: offset, follow: true, signal })) {
        pause = RETRY_MS.first;
        if (piece.type === 'end') {
          yield {
            type: 'exit',
            offset: piece.status.offset,
            event: await endOf(store, changes, generation, seq, signal),
          };
          return;
        }
        yield piece;
        if (piece.type !== 'alive') offset = piece.offset + (piece.type === 'gap' ? piece.length : piece.bytes.length);
      }
      throw new SandboxError('session_unavailable', 'the connection to the sandbox was cut');
    } catch (error) {
      if (signal?.aborted) return;
      const forgotten = isSandboxError(error) && error.code === 'event_not_found';
      if (!forgotten && !isUnavailable(error)) throw error;
      if (ended) {
        yield* stored(store, generation, seq, offset, eventView(event));
        return;
      }
      const current = await store.generation(generation);
      // Its end is being written.
      if (current?.status === 'destroyed') pause = RETRY_MS.first;
      await delay(pause, undefined, { signal }).catch(() => undefined);
      if (signal?.aborted) return;
      pause = Math.min(pause * 2, RETRY_MS.most);
    }
  }
}

const hasMore = async (store: Store, generation: string, seq: number): Promise<boolean> =>
  (await store.generation(generation))?.status === 'active' &&
  (await store.keptByEngine(generation)).some((kept) => kept.seq === seq && kept.has === 'more');

async function* stored(
  store: Store,
  generation: string,
  seq: number,
  from: number,
  event: SandboxEvent,
): AsyncGenerator<OutputPiece> {
  let offset = 0;
  for (const piece of piecesOf((await store.outputLog(generation, seq)) ?? Buffer.alloc(0))) {
    offset = piece.offset + (piece.type === 'gap' ? piece.length : piece.bytes.length);
    yield* piecesFrom([piece], from);
  }
  yield { type: 'exit', offset, event };
}

/** The event once its end is in the store, which is written at the same time. */
async function endOf(
  store: Store,
  changes: Changes,
  generation: string,
  seq: number,
  signal: AbortSignal | undefined,
): Promise<SandboxEvent> {
  for (;;) {
    const next = changes.next(generation, seq);
    const event = await store.event(generation, seq);
    if (event === undefined) throw new SandboxError('event_not_found', `there is no event ${seq}`);
    if (hasEnded(event)) {
      next.done();
      return eventView(event);
    }
    await changes.within(next, ALIVE_MS, signal);
    if (signal?.aborted) throw new SandboxError('shutting_down', 'the stream was ended');
  }
}
