import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newHostId, startedByOf } from '../lib/contract/host-name';
import { HOST_TAGS } from '../lib/contract/tags';
import type { MngrMachine } from '../test/support/mngr/mngr-machine';
import { installMngr, pythonForMngr } from '../test/support/mngr/mngr-tool';
import { separateFileSystems } from '../test/support/endpoint/namespaces';
import { program } from '../test/support/run/requirements';
import type { Bench } from './support/bench';
import { BUILD } from './support/build';
import { runCommand } from './support/command';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import { expectNothingRuns } from './support/leftovers';
import { duration, fastest } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const HOSTS = 100;
const PROVIDER = 'fargate';
/** One ListTasks, one DescribeTasks and one DescribeNetworkInterfaces hold a hundred hosts. */
const FEWEST_CALLS = 3;

export const bench: Bench = {
  title: 'mngr with the plugin',
  missing: () =>
    [pythonForMngr, separateFileSystems, program('sshd'), program('git')].map(({ missing }) => missing()).find(Boolean),
  run: ({ quick, progress }) =>
    withTemporaryFolder(async (folder) => {
      progress('building dist');
      await runCommand(BUILD);
      progress('installing mngr and the plugin');
      const programs = await installMngr('mngr-0.3.0-with-plugin');
      return withEndpoint(folder, 'processes', async (endpoint) => {
        const machine = await machineAt(folder, endpoint, programs);
        const creates = await timeCreates(machine, quick ? 1 : 10, progress);
        await expectNothingRuns(endpoint);
        const lists = await timeLists(machine, endpoint, quick ? 1 : 10, progress);
        return {
          rows: [
            {
              what: '`mngr create` to a ready agent on a new host',
              measured: duration(creates.mngr),
              comparison: 'peer',
              against: `\`mngr-fargate create\` ${duration(creates.ours)}`,
              ratio: creates.mngr / creates.ours,
            },
            {
              what: '`mngr create`, a second agent on that host',
              measured: duration(creates.second),
              comparison: 'peer',
              against: `with a new host ${duration(creates.mngr)}`,
              ratio: creates.second / creates.mngr,
            },
            {
              what: `API calls of \`mngr list --hosts\` with ${HOSTS} hosts`,
              measured: String(lists.calls),
              comparison: 'floor',
              against: `fewest possible ${FEWEST_CALLS}`,
              ratio: lists.calls / FEWEST_CALLS,
              aim: '1.00',
              met: lists.calls <= FEWEST_CALLS,
            },
            {
              what: `\`mngr list --hosts\` with ${HOSTS} hosts`,
              measured: duration(lists.full),
              comparison: 'peer',
              against: `the same without hosts ${duration(lists.empty)}`,
              ratio: lists.full / lists.empty,
            },
            {
              what: '`mngr list --hosts` without hosts',
              measured: duration(lists.empty),
              comparison: 'floor',
              against: `\`mngr --version\` ${duration(lists.version)}`,
              ratio: lists.empty / lists.version,
            },
          ],
          notes: [
            `tasks here start at once: on Fargate both creates take the time of the task longer. mngr adds ${duration(creates.mngr - creates.ours)}: its own start, the repository, the agent's record and session`,
            `the ${HOSTS} hosts were created elsewhere, so mngr connects to none of them; calls without the one AssumeRole of each process`,
          ],
        };
      });
    }),
};

/** A user's machine with mngr, the plugin and what was built. */
async function machineAt(folder: string, endpoint: BenchEndpoint, programs: string): Promise<MngrMachine> {
  // Here, since these modules look for what was built when they are loaded.
  const { CliHome } = await import('../test/support/cli/cli-program.js');
  const { MngrMachine: Machine } = await import('../test/support/mngr/mngr-machine.js');
  const home = new CliHome(join(folder, 'user'), endpoint.description.env);
  await mkdir(folder, { recursive: true });
  await home.json(['mngr', 'install', '--python', join(programs, 'python')]);
  await home.json(['config', 'write']);
  const machine = new Machine(home, programs);
  await machine.commit();
  return machine;
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The fastest of each in milliseconds; each round one create of ours and two of mngr's. */
async function timeCreates(
  machine: MngrMachine,
  rounds: number,
  progress: (line: string) => void,
): Promise<{ readonly ours: number; readonly mngr: number; readonly second: number }> {
  const times = { ours: [] as number[], mngr: [] as number[], second: [] as number[] };
  const agent = ['--type', 'command', '--no-connect', '--', 'cat'];
  for (let round = 0; round < rounds; round++) {
    progress(`creates, round ${round + 1} of ${rounds}`);
    const [ours, theirs] = [`ours-${round}`, `theirs-${round}`];
    times.ours.push(await elapsed(() => machine.home.json(['create', ours, '--', 'cat'])));
    const address = `one-${round}@${theirs}.${PROVIDER}`;
    times.mngr.push(await elapsed(() => machine.succeed(['create', address, '--new-host', ...agent])));
    const second = `two-${round}@${theirs}.${PROVIDER}`;
    times.second.push(await elapsed(() => machine.succeed(['create', second, ...agent])));
    await machine.home.json(['destroy', ours, theirs, '--yes']);
  }
  return { ours: fastest(times.ours), mngr: fastest(times.mngr), second: fastest(times.second) };
}

/** API calls of one list of a hundred hosts, and the fastest runs in milliseconds. */
async function timeLists(
  machine: MngrMachine,
  endpoint: BenchEndpoint,
  rounds: number,
  progress: (line: string) => void,
): Promise<{ readonly calls: number; readonly full: number; readonly empty: number; readonly version: number }> {
  const times = { version: [] as number[], empty: [] as number[], full: [] as number[] };
  const list = (): Promise<{ readonly hosts: readonly { readonly provider: string; readonly state: string }[] }> =>
    machine.json(['list', '--hosts']);
  progress('lists without hosts');
  for (let round = 0; round < rounds; round++) {
    times.version.push(await elapsed(() => machine.succeed(['--version'])));
    times.empty.push(await elapsed(list));
  }
  for (let n = 1; n <= HOSTS; n++) {
    const tags = {
      [HOST_TAGS.provider]: PROVIDER,
      [HOST_TAGS.hostId]: newHostId(),
      [HOST_TAGS.hostName]: `seed-${n}`,
      [HOST_TAGS.createdAt]: new Date().toISOString(),
      [HOST_TAGS.readyAt]: new Date().toISOString(),
    };
    await endpoint.seed({ count: 1, startedBy: startedByOf(PROVIDER, `seed-${n}`), tags });
  }
  progress(`lists with ${HOSTS} hosts`);
  let calls = 0;
  for (let round = 0; round < rounds; round++) {
    await endpoint.forgetCalls();
    times.full.push(await elapsed(list));
    const operations = Object.entries(await endpoint.calls()).filter(([name]) => /^(?:ecs|ec2):/.test(name));
    calls = Math.max(
      calls,
      operations.reduce((sum, [, { count }]) => sum + count, 0),
    );
  }
  const { hosts } = await list();
  const seen = hosts.filter(({ provider, state }) => provider === PROVIDER && state !== 'DESTROYED').length;
  if (seen !== HOSTS) throw new Error(`mngr saw ${seen} of ${HOSTS} hosts`);
  return { calls, full: fastest(times.full), empty: fastest(times.empty), version: fastest(times.version) };
}
