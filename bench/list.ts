import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startedByOf } from '../lib/contract/host-name';
import { HOST_TAGS } from '../lib/contract/tags';
import type { OperationCalls } from '../lib/local/control/call-log';
import type { Bench } from './support/bench';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import type { ListAnswer, ListQuestion } from './support/list-program';
import { bundleProgram, measureInProcess } from './support/measure-in-process';
import { ROOT } from './support/paths';
import { drainedMs, limitsOf } from './support/request-limits';
import { duration, fastest, mebibytes, median } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const FLEET = 10_000;
/** 100 tasks a ListTasks and a DescribeTasks, 1000 network interfaces a DescribeNetworkInterfaces. */
const FEWEST_CALLS = FLEET / 100 + FLEET / 100 + FLEET / 1000;
const MOST_CALLS_FOR_ONE = 3;
const PROVIDER = 'fargate';
/** ListTasks and DescribeTasks take from one bucket. */
const THROTTLED_IDEAL_MS = drainedMs(limitsOf('ecs:DescribeTasks'), (2 * FLEET) / 100);
const WALL_AIM = 1.2;
const THROTTLED_AIM = 1.1;

export const bench: Bench = {
  title: `list and get in a fleet of ${FLEET.toLocaleString('en')} hosts`,
  run: ({ quick, progress }) =>
    withTemporaryFolder((folder) =>
      withEndpoint(folder, 'ssh-servers', async (endpoint) => {
        const home = join(folder, 'home');
        await mkdir(home);
        const config = await endpoint.config(home);
        progress(`seeding ${FLEET} tasks`);
        await endpoint.seed({
          count: FLEET,
          startedBy: startedByOf(PROVIDER, 'seed-{n}'),
          tags: {
            [HOST_TAGS.provider]: PROVIDER,
            [HOST_TAGS.hostId]: 'host-{id}',
            [HOST_TAGS.hostName]: 'seed-{n}',
            [HOST_TAGS.createdAt]: new Date().toISOString(),
            [HOST_TAGS.readyAt]: new Date().toISOString(),
            project: 'seed',
          },
        });
        const program = await bundleProgram(join(ROOT, 'bench', 'support', 'list-program.ts'), folder);
        const question = { config, keyDirectory: join(home, 'keys'), name: `seed-${FLEET / 2}` };
        const ask = (way: ListQuestion['way'], throttling = false): Promise<Asked> =>
          askOnce(endpoint, program, { ...question, way }, home, throttling);

        const rounds = quick ? 3 : 7;
        progress(`${rounds} lists and as many of the same calls alone, in turn`);
        const floors: Asked[] = [];
        const lists: Asked[] = [];
        for (let round = 0; round < rounds; round++) {
          floors.push(await ask('floor'));
          lists.push(await ask('hosts'));
        }
        const one = await ask('get');
        progress("listing under AWS's request limits");
        const throttled: Asked[] = [];
        for (let round = 0; round < (quick ? 1 : 3); round++) throttled.push(await ask('hosts', true));
        for (const { hosts } of [...floors, ...lists, ...throttled]) {
          if (hosts !== FLEET) throw new Error(`a list found ${hosts} of ${FLEET} hosts`);
        }

        const calls = Math.max(...lists.map((list) => list.calls));
        const wall = fastest(lists.map((list) => list.milliseconds));
        const wallFloor = fastest(floors.map((floor) => floor.milliseconds));
        const memory = median(lists.map((list) => list.peakMemory));
        const memoryFloor = median(floors.map((floor) => floor.peakMemory));
        const throttledWall = fastest(throttled.map((list) => list.milliseconds));
        const refused = Math.max(...throttled.map((list) => list.refused));
        return {
          rows: [
            {
              what: 'API calls of a list',
              measured: String(calls),
              comparison: 'floor',
              against: `fewest possible ${FEWEST_CALLS}`,
              ratio: calls / FEWEST_CALLS,
              aim: '1.00',
              met: calls <= FEWEST_CALLS,
            },
            {
              what: 'wall time of a list',
              measured: duration(wall),
              comparison: 'floor',
              against: `the same calls alone ${duration(wallFloor)}`,
              ratio: wall / wallFloor,
              aim: `at most ${WALL_AIM}`,
              met: wall / wallFloor <= WALL_AIM,
            },
            {
              what: 'peak memory of a list',
              measured: mebibytes(memory),
              comparison: 'peer',
              against: `the same calls alone ${mebibytes(memoryFloor)}`,
              ratio: memory / memoryFloor,
            },
            {
              what: "wall time of a list under AWS's request limits",
              measured: duration(throttledWall),
              comparison: 'floor',
              against: `ideal of the limits ${duration(THROTTLED_IDEAL_MS)}`,
              ratio: throttledWall / THROTTLED_IDEAL_MS,
              aim: `at most ${THROTTLED_AIM}`,
              met: throttledWall / THROTTLED_IDEAL_MS <= THROTTLED_AIM,
            },
            {
              what: 'API calls of getting one host by name',
              measured: String(one.calls),
              comparison: 'limit',
              against: `at most ${MOST_CALLS_FOR_ONE}`,
              ratio: one.calls / MOST_CALLS_FOR_ONE,
              aim: 'at most 3 calls',
              met: one.calls <= MOST_CALLS_FOR_ONE,
            },
          ],
          notes: [
            `fastest of ${rounds} runs, in processes that have their clients, credentials and first connections; ${refused} calls of a list under limits were refused and repeated`,
          ],
        };
      }),
    ),
};

interface Asked extends ListAnswer {
  /** Bytes. */
  readonly peakMemory: number;
  /** ECS and EC2 calls, and those among them that were throttled. */
  readonly calls: number;
  readonly refused: number;
}

async function askOnce(
  endpoint: BenchEndpoint,
  program: string,
  question: ListQuestion,
  home: string,
  throttling: boolean,
): Promise<Asked> {
  const { answer, peakMemory } = await measureInProcess<ListAnswer>(
    program,
    question,
    endpoint.environment(home),
    async () => {
      await endpoint.setThrottling(throttling);
      await endpoint.forgetCalls();
    },
  );
  const calls = Object.entries(await endpoint.calls()).filter(([name]) => /^(?:ecs|ec2):/.test(name));
  return {
    ...answer,
    peakMemory,
    calls: sum(calls, ({ count }) => count),
    refused: sum(calls, ({ errors }) => Object.values(errors).reduce((total, count) => total + count, 0)),
  };
}

const sum = (calls: readonly (readonly [string, OperationCalls])[], of: (calls: OperationCalls) => number): number =>
  calls.reduce((total, [, operation]) => total + of(operation), 0);
