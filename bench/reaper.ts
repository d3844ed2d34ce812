import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startedByOf } from '../lib/contract/host-name';
import { HOST_TAGS } from '../lib/contract/tags';
import type { Bench } from './support/bench';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import { bundleProgram, measureInProcess } from './support/measure-in-process';
import { ROOT } from './support/paths';
import type { ReaperAnswer, ReaperQuestion } from './support/reaper-program';
import { drainedMs, limitsOf } from './support/request-limits';
import { duration, mebibytes } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const FLEET = 10_000;
const EXPIRED = 200;
const TASKS_PER_CALL = 100;
/** Tasks whose second look is one call (lib/hosts/reaping/reap.ts). */
const STOPS_PER_LOOK = 20;
/** 100 tasks a ListTasks and a DescribeTasks. */
const FEWEST_READS = (2 * FLEET) / TASKS_PER_CALL;
const FEWEST_WITH_STOPS = FEWEST_READS + EXPIRED / STOPS_PER_LOOK + EXPIRED;
/** The reaper leaves half of AWS's limits for reads to launchers. */
const OWN_PACE_MS = drainedMs(
  limitsOf('ecs:DescribeTasks').map(({ burst, perSecond }) => ({ burst: burst / 2, perSecond: perSecond / 2 })),
  FEWEST_READS + EXPIRED / STOPS_PER_LOOK,
);
/** Lambda's memory for it, and its time (lib/constructs/reaper/reaper.ts). */
const MEMORY = 512 * 2 ** 20;
const TIME_MS = 300_000;

export const bench: Bench = {
  title: `a run of the reaper over ${FLEET.toLocaleString('en')} hosts, under AWS's request limits`,
  run: ({ progress }) =>
    withTemporaryFolder((folder) =>
      withEndpoint(folder, 'ssh-servers', async (endpoint) => {
        const home = join(folder, 'home');
        await mkdir(home);
        const { ecs_cluster: cluster, task_definition: family, aws_region: region } = await endpoint.config(home);
        const program = await bundleProgram(join(ROOT, 'bench', 'support', 'reaper-program.ts'), folder);
        const reap = (question: Partial<ReaperQuestion> = {}): Promise<Reaped> =>
          reapOnce(endpoint, program, { cluster, family, region, ...question }, home);
        progress(`seeding ${FLEET} tasks`);
        await seed(endpoint, 'well', FLEET - EXPIRED, 3_600_000);
        await seed(endpoint, 'expired', EXPIRED, -3_600_000);
        await endpoint.setThrottling(true);

        progress('a dry run');
        const quiet = await reap({ dryRun: true });
        if (quiet.hosts !== FLEET || quiet.stopped !== EXPIRED) {
          throw new Error(`a dry run saw ${quiet.hosts} hosts and ${quiet.stopped} that are to be stopped`);
        }
        // Buckets are full again, as they are five minutes later.
        await endpoint.setThrottling(true);
        progress(`a run that stops ${EXPIRED}`);
        const busy = await reap();
        if (busy.stopped !== EXPIRED) throw new Error(`a run stopped ${busy.stopped} of ${EXPIRED} hosts`);

        const memory = Math.max(quiet.peakMemory, busy.peakMemory);
        return {
          rows: [
            {
              what: `API calls of a run that stops ${EXPIRED}`,
              measured: String(busy.calls),
              comparison: 'floor',
              against: `fewest possible ${FEWEST_WITH_STOPS}`,
              ratio: busy.calls / FEWEST_WITH_STOPS,
              aim: 'at most 1.05',
              met: busy.calls / FEWEST_WITH_STOPS <= 1.05,
            },
            {
              what: 'calls that were refused, of both runs',
              measured: String(quiet.refused + busy.refused),
              comparison: 'limit',
              against: `all calls ${quiet.calls + busy.calls}`,
              ratio: (quiet.refused + busy.refused) / (quiet.calls + busy.calls),
              aim: '0',
              met: quiet.refused + busy.refused === 0,
            },
            {
              what: `wall time of a run that stops ${EXPIRED}`,
              measured: duration(busy.milliseconds),
              comparison: 'floor',
              against: `half of AWS's limits for reads ${duration(OWN_PACE_MS)}`,
              ratio: busy.milliseconds / OWN_PACE_MS,
            },
            {
              what: 'the same, of the time that Lambda gives it',
              measured: duration(busy.milliseconds),
              comparison: 'limit',
              against: `timeout ${duration(TIME_MS)}`,
              ratio: busy.milliseconds / TIME_MS,
              aim: 'under 0.5',
              met: busy.milliseconds < TIME_MS / 2,
            },
            {
              what: 'peak memory',
              measured: mebibytes(memory),
              comparison: 'limit',
              against: `memory of the function ${mebibytes(MEMORY)}`,
              ratio: memory / MEMORY,
              aim: 'under 0.75',
              met: memory < 0.75 * MEMORY,
            },
          ],
          notes: [`a dry run took ${quiet.calls} calls and ${duration(quiet.milliseconds)}`],
        };
      }),
    ),
};

const seed = (endpoint: BenchEndpoint, name: string, count: number, expiresIn: number): Promise<unknown> =>
  endpoint.seed({
    count,
    startedBy: startedByOf('fargate', `${name}-{n}`),
    tags: {
      [HOST_TAGS.provider]: 'fargate',
      [HOST_TAGS.hostId]: `host-${name}-{n}`,
      [HOST_TAGS.hostName]: `${name}-{n}`,
      [HOST_TAGS.readyAt]: new Date().toISOString(),
      [HOST_TAGS.expiresAt]: new Date(Date.now() + expiresIn).toISOString(),
    },
  });

interface Reaped extends ReaperAnswer {
  /** Bytes. */
  readonly peakMemory: number;
  /** ECS calls, and those among them that were throttled. */
  readonly calls: number;
  readonly refused: number;
}

async function reapOnce(
  endpoint: BenchEndpoint,
  program: string,
  question: ReaperQuestion,
  home: string,
): Promise<Reaped> {
  const { answer, peakMemory } = await measureInProcess<ReaperAnswer>(
    program,
    question,
    endpoint.environment(home),
    () => endpoint.forgetCalls(),
  );
  const operations = Object.entries(await endpoint.calls()).filter(([name]) => name.startsWith('ecs:'));
  return {
    ...answer,
    peakMemory,
    calls: operations.reduce((sum, [, { count }]) => sum + count, 0),
    refused: operations.reduce(
      (sum, [, { errors }]) => sum + Object.values(errors).reduce((all, one) => all + one, 0),
      0,
    ),
  };
}
