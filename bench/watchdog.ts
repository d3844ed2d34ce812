import { setTimeout as sleep } from 'node:timers/promises';
import { agentImage } from '../test/support/host/agent-image';
import { containerEngine } from '../test/support/run/requirements';
import type { Bench } from './support/bench';
import { runCommand } from './support/command';
import { duration } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

/** Seconds between two rounds on a host, and in the measurement, which has no day's time. */
const INTERVAL = 15;
const MEASURED_INTERVAL = 1;
const ROUNDS_AN_HOUR = 3600 / INTERVAL;
const MAIN_PROCESS = 'watchdog.sh';
/** The usual loop of a shell that looks at something every now and then: one process a round, and it stays. */
const SLEEP = `while :; do sleep ${MEASURED_INTERVAL}; done`;
/** The least that a shell can wait with: itself, in a read that nothing ever answers. */
const READ = `mkfifo /tmp/wait && exec 8<>/tmp/wait && while :; do read -r -t ${MEASURED_INTERVAL} -u 8; done`;
const MOST_PROCESSES = 15;

export const bench: Bench = {
  title: 'the watchdog on an idle host against loops in bash that only wait',
  missing: () => containerEngine.missing(),
  run: ({ quick, progress }) =>
    withTemporaryFolder(async (folder) => {
      const seconds = quick ? 10 : 120;
      const image = await agentImage();
      await runCommand({ program: 'ssh-keygen', args: ['-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/key`] });
      const key = (await runCommand({ program: 'cat', args: [`${folder}/key.pub`] })).stdout.trim();
      const host = ['--env', `MNGR_SSH_PUBLIC_KEY=${key}`, '--env', 'MNGR_BOOT_LEASE_SECONDS=0'];
      const interval = ['--env', `MNGR_WATCHDOG_INTERVAL_SECONDS=${MEASURED_INTERVAL}`];
      progress(`${seconds} rounds of each`);
      const loop = (words: string): Promise<Usage> =>
        inContainer(['--entrypoint', 'bash', image, '-c', words], (id) => usage(id, 'while', seconds));
      const [watchdog, sleepLoop, readLoop] = await Promise.all([
        inContainer([...host, ...interval, image], (id) => usage(id, MAIN_PROCESS, seconds)),
        loop(SLEEP),
        loop(READ),
      ]);
      const perHour = (used: Usage): string => duration(used.milliseconds * ROUNDS_AN_HOUR);
      return {
        rows: [
          {
            what: `processor time an hour, a round each ${INTERVAL} s`,
            measured: perHour(watchdog),
            comparison: 'peer',
            against: `\`sleep\` loop ${perHour(sleepLoop)}`,
            ratio: watchdog.milliseconds / sleepLoop.milliseconds,
          },
          {
            what: 'resident memory between rounds',
            measured: kibibytes(watchdog.memory),
            comparison: 'floor',
            against: `\`read\` loop ${kibibytes(readLoop.memory)}`,
            ratio: watchdog.memory / readLoop.memory,
          },
          {
            what: 'processes a round',
            measured: watchdog.processes.toFixed(1),
            comparison: 'limit',
            against: `at most ${MOST_PROCESSES}`,
            ratio: watchdog.processes / MOST_PROCESSES,
            aim: `under ${MOST_PROCESSES}`,
            met: watchdog.processes < MOST_PROCESSES,
          },
        ],
        notes: [
          `${seconds} s with a round each second, converted to one each ${INTERVAL} s; ` +
            `${((watchdog.milliseconds * ROUNDS_AN_HOUR * 100) / 3_600_000).toFixed(3)} % of one processor`,
          'memory is the sum of the shell and what it waits with; pages shared with other shells count in full',
        ],
      };
    }),
};

/** What one round takes, and what stays resident between two. */
interface Usage {
  readonly milliseconds: number;
  readonly processes: number;
  /** KiB. */
  readonly memory: number;
}

const docker = async (...args: string[]): Promise<string> =>
  (await runCommand({ program: 'docker', args })).stdout.trim();

async function inContainer<Result>(args: readonly string[], work: (id: string) => Promise<Result>): Promise<Result> {
  const id = await docker('run', '--detach', '--network', 'none', ...args);
  try {
    return await work(id);
  } finally {
    await docker('rm', '--force', '--volumes', id);
  }
}

/**
 * Measures for `seconds` the shell whose command line has `words`: its processor time with that of its children
 * (/proc/PID/stat, in hundredths of a second), and by the numbers that the kernel hands out how many processes began.
 */
async function usage(container: string, words: string, seconds: number): Promise<Usage> {
  const probe = `pid=$(pgrep -o -f "[b]ash.*${words}"); read -ra stat </proc/$pid/stat;
    echo $$ $((stat[13] + stat[14] + stat[15] + stat[16])) \
      $(cat /proc/$pid/status $(printf '/proc/%s/status ' $(pgrep -P $pid)) 2>/dev/null | awk '/VmRSS/ { sum += $2 } END { print sum }')`;
  const look = async (): Promise<number[]> =>
    (await docker('exec', container, 'bash', '-c', probe)).split(' ').map(Number);
  await sleep(5000);
  const [firstPid = NaN, firstTicks = NaN] = await look();
  // The probe's own processes.
  const [again = NaN] = await look();
  const before = again - firstPid;
  await sleep(seconds * 1000);
  const [lastPid = NaN, lastTicks = NaN, memory = NaN] = await look();
  const rounds = seconds / MEASURED_INTERVAL;
  return {
    milliseconds: ((lastTicks - firstTicks) * 10) / rounds,
    processes: (lastPid - again - before) / rounds,
    memory,
  };
}

const kibibytes = (amount: number): string => `${amount} KiB`;
