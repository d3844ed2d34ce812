import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Hosts } from '../lib/hosts/index';
import type { OperationCalls } from '../lib/local/control/call-log';
import { FARGATE_LAUNCHES } from '../lib/local/services/ecs/throttles';
import type { Bench, BenchResult } from './support/bench';
import { withEndpoint } from './support/endpoint';
import { STEADY_FARGATE_TIMES, STEADY_START_MS } from './support/fargate-times';
import { expectNothingRuns } from './support/leftovers';
import { drainedMs, limitsOf } from './support/request-limits';
import { duration } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const FLEET = 200;
const AIM = 1.1;

export const bench: Bench = {
  title: `${FLEET} creates at once under AWS's published request limits`,
  run: ({ progress }) =>
    withTemporaryFolder((folder) =>
      withEndpoint(folder, 'ssh-servers', async (endpoint) => {
        const home = join(folder, 'home');
        await mkdir(home);
        const config = await endpoint.config(home);
        await endpoint.setDelays(STEADY_FARGATE_TIMES);
        const hosts = new Hosts({ config, keyDirectory: join(home, 'keys') });
        let total: number;
        let calls: Readonly<Record<string, OperationCalls>>;
        try {
          // The SDK's clients, their credentials and the first connections are there before the clock starts.
          await hosts.list();
          await endpoint.setThrottling(true);
          await endpoint.forgetCalls();
          progress(`creating ${FLEET} hosts`);
          const start = performance.now();
          const names = Array.from({ length: FLEET }, (_, index) => `fleet-${index}`);
          const created = await Promise.allSettled(names.map((name) => hosts.create({ name })));
          total = performance.now() - start;
          calls = await endpoint.calls();
          const failures = created.filter((result) => result.status === 'rejected');
          if (failures.length > 0) throw new Error(`${failures.length} creates failed:\n${reasonsOf(failures)}`);
        } finally {
          progress('destroying them');
          await hosts.destroyAll();
          await hosts.close();
        }
        await expectNothingRuns(endpoint);
        return resultOf(total, calls);
      }),
    ),
};

/** Each different reason once. */
const reasonsOf = (failures: readonly PromiseRejectedResult[]): string =>
  [
    ...new Set(failures.map(({ reason }) => (reason as Error).message.replace(/fleet-\d+|[\w:/-]*task\/[\w/]+/g, '…'))),
  ].join('\n');

/** One RunTask a host, as no two hosts have the same overrides, and Fargate's own limit on launches. */
const LIMITS = [...limitsOf('ecs:RunTask'), FARGATE_LAUNCHES];

function resultOf(total: number, calls: Readonly<Record<string, OperationCalls>>): BenchResult {
  const limits = drainedMs(LIMITS, FLEET);
  const ideal = limits + STEADY_START_MS;
  return {
    rows: [
      {
        what: `${FLEET} hosts ready`,
        measured: duration(total),
        comparison: 'floor',
        against: `ideal ${duration(ideal)}`,
        ratio: total / ideal,
        aim: `at most ${AIM}`,
        met: total / ideal <= AIM,
      },
      {
        what: "the same without Fargate's own time",
        measured: duration(total - STEADY_START_MS),
        comparison: 'floor',
        against: `ideal ${duration(limits)}`,
        ratio: (total - STEADY_START_MS) / limits,
      },
    ],
    notes: [`no create failed and no task was left; calls (refused): ${Object.entries(calls).map(countOf).join(', ')}`],
  };
}

const countOf = ([name, { count, errors }]: [string, OperationCalls]): string => {
  const refused = Object.values(errors).reduce((total, times) => total + times, 0);
  return `${name.split(':')[1]} ${count} (${refused})`;
};
