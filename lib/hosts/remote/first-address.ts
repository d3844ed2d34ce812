import { setTimeout as delay } from 'node:timers/promises';
import { isMngrFargateError } from '../../contract/errors';
import { isRefusedAddress } from '../../ssh';
import type { HostAddress } from '../model/types';

/** How long, in milliseconds, an address has for itself before the next one is tried beside it (RFC 8305, section 5). */
const HEAD_START_MS = 250;

/** Errors that are the address's fault. Any other is the host's, and counts at once. */
const NO_WAY: ReadonlySet<string> = new Set(['unreachable', 'timed-out']);

const isNoWay = (error: unknown): boolean =>
  isMngrFargateError(error) && (NO_WAY.has(error.code) || isRefusedAddress(error));

export interface RaceOptions<Result> {
  /** Ends the result of an address that comes second. */
  readonly discard: (result: Result) => void;
  readonly signal?: AbortSignal;
}

/**
 * The first of a host's addresses that answers, as RFC 8305 has it ("happy eyeballs"): the next one is tried when the one
 * before has failed, or hasn't answered for a moment. Throws the first address's error if none answers.
 */
export async function firstAddress<Result>(
  addresses: readonly HostAddress[],
  attempt: (address: HostAddress, signal?: AbortSignal) => Promise<Result>,
  { discard, signal }: RaceOptions<Result>,
): Promise<{ readonly result: Result; readonly address: HostAddress }> {
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined) return { result: await attempt(only, signal), address: only };
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const ways: Promise<{ result: Result; address: HostAddress }>[] = [];
  let winner: Result | undefined;
  let before: Promise<unknown> = Promise.resolve();
  for (const address of addresses) {
    const start = before;
    const way = start.then(async () => ({ address, result: await attempt(address, either) }));
    ways.push(way);
    const failed = way.then(
      () => new Promise<never>(() => undefined),
      () => undefined,
    );
    before = start.then(() => Promise.race([delay(HEAD_START_MS, undefined, { ref: false }), failed]));
  }
  const fatal = ways.map((way) =>
    way.catch((error: unknown) => {
      if (isNoWay(error)) return new Promise<never>(() => undefined);
      throw error;
    }),
  );
  try {
    const first = await Promise.race([Promise.any(ways), ...fatal]);
    winner = first.result;
    return first;
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    return await (ways[0] as Promise<{ result: Result; address: HostAddress }>);
  } finally {
    over.abort();
    for (const way of ways)
      way.then(
        ({ result }) => {
          if (result !== winner) discard(result);
        },
        () => undefined,
      );
  }
}
