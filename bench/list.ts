import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startedByOf } from '../lib/contract/host-name';
import { HOST_TAGS } from '../lib/contract/tags';
import type { OperationCalls } from '../lib/local/control/call-log';
import type { Bench } from './support/bench';
import { runCommand } from './support/command';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import type { ListAnswer, ListQuestion } from './support/list-program';
import { ROOT, TYPESCRIPT } from './support/paths';
import { duration, mebibytes, median } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const FLEET = 10_000;
/** 100 tasks a ListTasks and a DescribeTasks, 1000 network interfaces a DescribeNetworkInterfaces. */
const FEWEST_CALLS = FLEET / 100 + FLEET / 100 + FLEET / 1000;
const MOST_CALLS_FOR_ONE = 3;
const PROVIDER = 'fargate';
/** ListTasks and DescribeTasks share a bucket of 100 calls that 20 a second flow into (bench/fleet.ts). */
const THROTTLED_IDEAL_MS = ((FLEET / 100) * 2 - 100) / 0.02;

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
        const ask = (way: ListQuestion['way']): Promise<Asked> =>
          askOnce(endpoint, { way, config, keyDirectory: join(home, 'keys'), name: `seed-${FLEET / 2}` }, home);

        const floors: Asked[] = [];
        const lists: Asked[] = [];
        for (let round = 0; round < (quick ? 1 : 5); round++) {
          floors.push(await ask('floor'));
          lists.push(await ask('hosts'));
        }
        const one = await ask('get');
        for (const { hosts } of [...floors, ...lists]) {
          if (hosts !== FLEET) throw new Error(`a list found ${hosts} of ${FLEET} hosts`);
        }
        progress("listing under AWS's request limits");
        await endpoint.setThrottling(true);
        const throttled = await ask('hosts');

        const calls = Math.max(...lists.map((list) => list.calls));
        const wall = median(lists.map((list) => list.milliseconds));
        const wallFloor = median(floors.map((floor) => floor.milliseconds));
        const memory = median(lists.map((list) => list.peakMemory));
        const memoryFloor = median(floors.map((floor) => floor.peakMemory));
        return {
          rows: [
            {
              what: 'API calls of a list',
              measured: String(calls),
              against: `fewest possible ${FEWEST_CALLS}`,
              ratio: calls / FEWEST_CALLS,
              aim: '1.00',
              met: calls <= FEWEST_CALLS,
            },
            {
              what: 'wall time of a list',
              measured: duration(wall),
              against: `the same calls alone ${duration(wallFloor)}`,
              ratio: wall / wallFloor,
            },
            {
              what: 'peak memory of a list',
              measured: mebibytes(memory),
              against: `the same calls alone ${mebibytes(memoryFloor)}`,
              ratio: memory / memoryFloor,
            },
            {
              what: "wall time of a list under AWS's request limits",
              measured: duration(throttled.milliseconds),
              against: `ideal of the limits ${duration(THROTTLED_IDEAL_MS)}`,
              ratio: throttled.milliseconds / THROTTLED_IDEAL_MS,
            },
            {
              what: 'API calls of getting one host by name',
              measured: String(one.calls),
              against: `at most ${MOST_CALLS_FOR_ONE}`,
              ratio: one.calls / MOST_CALLS_FOR_ONE,
              aim: 'at most 3 calls',
              met: one.calls <= MOST_CALLS_FOR_ONE,
            },
          ],
          notes: [
            `calls without the one AssumeRole of each process; the list under limits used ${throttled.calls} calls, ${throttled.refused} of them refused and repeated`,
          ],
        };
      }),
    ),
};

interface Asked extends ListAnswer {
  /** ECS and EC2 calls, and those among them that were throttled. */
  readonly calls: number;
  readonly refused: number;
}

async function askOnce(endpoint: BenchEndpoint, question: ListQuestion, home: string): Promise<Asked> {
  await endpoint.forgetCalls();
  const { stdout } = await runCommand({
    program: process.execPath,
    args: [...TYPESCRIPT, join(ROOT, 'bench', 'support', 'list-program.ts'), JSON.stringify(question)],
    cwd: ROOT,
    environment: endpoint.environment(home),
  });
  const calls = Object.entries(await endpoint.calls()).filter(([name]) => /^(?:ecs|ec2):/.test(name));
  return {
    ...(JSON.parse(stdout) as ListAnswer),
    calls: sum(calls, ({ count }) => count),
    refused: sum(calls, ({ errors }) => Object.values(errors).reduce((total, count) => total + count, 0)),
  };
}

const sum = (calls: readonly (readonly [string, OperationCalls])[], of: (calls: OperationCalls) => number): number =>
  calls.reduce((total, [, operation]) => total + of(operation), 0);
