import { setTimeout as delay } from 'node:timers/promises';
import { MngrFargateError } from '../contract/errors';
import type { Greeting, GreetingAttempt } from './greeting';
import { openGreeting } from './greeting';
import { KnockPace } from './knock-pace';

export interface KnockOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until giving up. Default: never, the signal decides. */
  readonly timeoutMs?: number;
  /** Shared by all hosts that one launcher knocks on. Default: this host is alone. */
  readonly pace?: KnockPace;
}

/**
 * Before a task's interface is up nothing refuses: packets are dropped, and TCP itself repeats them only after 1, 3
 * and 7 seconds. A fresh attempt each time this many milliseconds pass without an answer finds the host sooner.
 */
const UNANSWERED_MS = 200;
/** Of attempts under way at once; older ones stay because a far-away host may need longer than UNANSWERED_MS. */
const MAX_ATTEMPTS = 8;
const ATTEMPT_TIMEOUT_MS = 10_000;

/**
 * Knocks until sshd identifies itself, and returns that very connection for the handshake. Refused, unreachable,
 * silent and prematurely closed connections are all "not yet".
 * Throws `aborted` when the signal fires, `unreachable` when the time is up.
 */
export async function knock(host: string, port: number, options: KnockOptions = {}): Promise<Greeting> {
  const { signal, timeoutMs, pace = new KnockPace() } = options;
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
    const attempt = openGreeting({ host, port, timeoutMs: ATTEMPT_TIMEOUT_MS });
    const outcome = attempt.greeting
      .then(
        (greeting) => {
          if (done) greeting.stream.destroy();
          else winner = greeting;
          finish();
        },
        (error: Error) => {
          if (!done) lastProblem = error;
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
  throw new MngrFargateError('unreachable', `no SSH server answered at ${host} port ${port} within ${timeoutMs} ms`, {
    cause: lastProblem,
    details: { host, port, ...(lastProblem && { lastProblem: lastProblem.message }) },
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
