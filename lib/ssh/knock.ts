import { setTimeout as delay } from 'node:timers/promises';
import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import { reasonOf } from '../util/system-error';
import type { Dialer } from './dialer';
import type { Greeting, GreetingAttempt } from './greeting';
import { openGreeting } from './greeting';
import { KnockPace } from './knock-pace';

export interface KnockOptions {
  readonly signal?: AbortSignal;
  /** How long to keep trying, in milliseconds. Default: until the signal aborts. */
  readonly timeoutMs?: number;
  /** The pace shared by all hosts that one launcher is knocking on. Default: a pace for this host alone. */
  readonly pace?: KnockPace;
  /** Default: this machine. */
  readonly dialer?: Dialer;
}

/**
 * Until a task's network interface is up, connections aren't refused: packets are dropped, and TCP resends them only
 * after 1, 3 and 7 seconds. Starting a new attempt after this many milliseconds without an answer finds the host sooner.
 */
const UNANSWERED_MS = 200;
/** The most attempts at a time. Older ones are kept, because a distant host may take longer than UNANSWERED_MS. */
const MAX_ATTEMPTS = 8;
const ATTEMPT_TIMEOUT_MS = 10_000;

/** What a dialer says that doesn't change while a host starts. */
const LASTING: ReadonlySet<string> = new Set(['denied', 'unverified-host-key', 'usage']);
const isLasting = (error: unknown): boolean => isMngrFargateError(error) && LASTING.has(error.code);

/**
 * Connects repeatedly until sshd identifies itself, and returns that connection for the handshake. Connections that are
 * refused, unreachable, silent, or closed early all mean "not yet".
 * Throws `aborted` when the signal fires, `unreachable` when the time is up, and what a dialer says about itself.
 */
export async function knock(host: string, port: number, options: KnockOptions = {}): Promise<Greeting> {
  const { signal, timeoutMs, pace = new KnockPace(), dialer } = options;
  const started = performance.now();
  const underWay = new Map<Promise<void>, GreetingAttempt>();
  let lastProblem: Error | undefined;
  let winner: Greeting | undefined;
  let done = false;

  const finish = (): void => {
    done = true;
    for (const attempt of underWay.values()) attempt.abandon();
  };
  const begin = (): Promise<void> => {
    const attempt = openGreeting({ host, port, timeoutMs: ATTEMPT_TIMEOUT_MS, dialer });
    const outcome = attempt.greeting
      .then(
        (greeting) => {
          if (done) greeting.stream.destroy();
          else winner = greeting;
          finish();
        },
        (error: Error) => {
          if (done) return;
          lastProblem = error;
          if (isLasting(error)) finish();
        },
      )
      .finally(() => underWay.delete(outcome));
    underWay.set(outcome, attempt);
    return outcome;
  };

  const timer = timeoutMs === undefined ? undefined : setTimeout(finish, timeoutMs);
  const leave = pace.enter();
  signal?.addEventListener('abort', finish, { once: true });
  try {
    while (!done && !signal?.aborted) {
      if (await settlesWithin(begin(), UNANSWERED_MS))
        await delay(done ? 0 : pace.gapAfter(performance.now() - started));
      else if (underWay.size >= MAX_ATTEMPTS) await Promise.race(underWay.keys());
    }
  } finally {
    leave();
    clearTimeout(timer);
    signal?.removeEventListener('abort', finish);
    finish();
  }

  if (winner !== undefined) {
    if (!signal?.aborted) return winner;
    winner.stream.destroy();
  }
  if (signal?.aborted)
    throw new MngrFargateError('aborted', `stopped waiting for SSH at ${host} port ${port}`, { cause: signal.reason });
  if (isLasting(lastProblem)) throw lastProblem;
  throw new MngrFargateError('unreachable', `no SSH server answered at ${host} port ${port} within ${timeoutMs} ms`, {
    cause: lastProblem,
    details: { host, port, ...(lastProblem && { lastProblem: reasonOf(lastProblem) ?? lastProblem.message }) },
  });
}

function settlesWithin(promise: Promise<void>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    void promise.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
