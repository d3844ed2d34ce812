import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { play, scheduleOf } from '../test/support/session/schedule';

/**
 * `npm run soak -- session`: plays schedules of loss, delay, duplication, reordering and cuts against the data channel,
 * in virtual time, on all processors. Each schedule is its seed, so one that fails can be played again alone.
 */
const USAGE = `npm run soak -- session [--count N] [--seed S]

Plays N schedules (default: 1000000) against the session data channel, from seed S (default: a random one) on.
A failure prints its seed; --seed SEED --count 1 plays it again. Exit code 1 after a failure.`;

const BATCH = 500;
/** First argument of a process that plays a share. */
const SHARE = 'share';

interface Share {
  readonly first: number;
  readonly count: number;
}

async function playShare({ first, count }: Share): Promise<void> {
  for (let played = 0; played < count; played += BATCH) {
    const batch = Math.min(BATCH, count - played);
    for (let index = 0; index < batch; index++) await play(scheduleOf(first + played + index));
    process.send?.(batch);
  }
}

async function main(): Promise<number> {
  const options = {
    count: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const count = Number(values.count ?? 1_000_000);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const isRequest = positionals.length === 1 && positionals[0] === 'session';
  if (values.help === true || !isRequest || !Number.isSafeInteger(count) || !Number.isSafeInteger(seed) || count < 1) {
    console.log(USAGE);
    return values.help === true ? 0 : 2;
  }
  const processes = Math.min(availableParallelism(), Math.ceil(count / BATCH));
  console.log(`${count} schedules from seed ${seed} on, in ${processes} processes`);
  const each = Math.ceil(count / processes);
  const started = performance.now();
  let done = 0;
  const shares = Array.from({ length: processes }, (_, index) => ({
    first: seed + index * each,
    count: Math.min(each, count - index * each),
  })).filter((share) => share.count > 0);
  const report = (batch: number): void => {
    const before = Math.floor((20 * done) / count);
    done += batch;
    if (Math.floor((20 * done) / count) > before) console.log(`${done} played`);
  };
  try {
    await Promise.all(shares.map((share) => inProcess(share, report)));
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
  console.log(`all ${done} arrived whole (${((performance.now() - started) / 1000).toFixed(0)} s)`);
  return 0;
}

function inProcess({ first, count }: Share, report: (batch: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, [SHARE, String(first), String(count)]);
    child.on('message', (batch) => report(Number(batch)));
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`a process ended with ${signal ?? `exit code ${code}`}: see above`)),
    );
  });
}

const [mode, first, count] = process.argv.slice(2);
if (mode !== SHARE) void main().then((code) => process.exit(code));
else {
  playShare({ first: Number(first), count: Number(count) }).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
