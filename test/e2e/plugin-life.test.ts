import type { Host } from '../../lib/hosts/model/types';
import { CliHome } from '../support/cli/cli-program';
import { until } from '../support/run/eventually';
import { MngrMachine } from '../support/mngr/mngr-machine';
import { describeWith } from '../support/run/requirements';
import type { AgentList, HostList, World } from './world';
import { E2E, ended, SEVERAL_COMMANDS, START_UP, startWorld, WATCHDOG } from './world';

/** Creates that fail, and hosts that end by themselves, with the plugin. */
describeWith(E2E, 'released mngr with the plugin, over time', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('plugin');
  }, START_UP);
  afterAll(() => world?.stop(), START_UP);

  const machine = (): World['machine'] => world.machine;
  const create = (agent: string): string[] => [
    ...['create', `${agent}@${agent}-host.fargate`, '--new-host', '--type', 'command', '--no-connect'],
  ];
  const tasks = async (name: string): Promise<Host[]> => {
    const hosts = await machine().home.json<Host[]>(['list', '--stopped', '--no-idle']);
    return hosts.filter((host) => host.name === name);
  };

  test(
    'a command that fails on the new host ends it again',
    async () => {
      const failed = await machine().mngr([
        ...create('gnu'),
        ...['--post-host-create-command', 'echo no luck >&2; exit 3', '--', 'cat'],
      ]);
      expect(failed.exitCode).not.toBe(0);
      await expect(ended(world, 'gnu-host', SEVERAL_COMMANDS)).resolves.toMatchObject({
        stopCode: 'UserInitiated',
      });
    },
    SEVERAL_COMMANDS,
  );

  test(
    'mngr killed in the middle of a create leaves no task',
    async () => {
      await world.local.control('PUT', 'delays', { provisioning: 20_000 });
      try {
        let kill: (() => void) | undefined;
        const killed = machine().mngr([...create('ape'), '--', 'cat'], {
          onStart: (running) => (kill = () => running.kill('SIGKILL')),
        });
        await until(async () => (await tasks('ape-host')).length > 0, SEVERAL_COMMANDS);
        kill?.();
        await expect(killed).resolves.toMatchObject({ exitCode: null });
        await until(async () => (await tasks('ape-host')).every(({ state }) => state === 'STOPPED'), SEVERAL_COMMANDS);
      } finally {
        await world.local.control('PUT', 'delays', {});
      }
    },
    SEVERAL_COMMANDS,
  );

  test(
    'of two hosts one dies and one ends at its limit: both stay in the list, and no command fails',
    async () => {
      await machine().succeed([...create('elk'), '--', 'cat']);
      await machine().succeed(['limit', 'elk', '--idle-timeout', '1s', '--idle-mode', 'BOOT']);
      await machine().succeed([...create('yak'), '--', 'cat']);
      const [yak] = await tasks('yak-host');
      await world.local.control('POST', `tasks/${yak?.taskArn.split('/').pop()}/kill`);
      await ended(world, 'yak-host', WATCHDOG);
      await ended(world, 'elk-host', WATCHDOG);

      const { agents, errors } = await machine().json<AgentList>(['list']);
      expect(errors).toEqual([]);
      expect(agents.map(({ name, state }) => ({ name, state })).sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
        { name: 'elk', state: 'STOPPED' },
        { name: 'yak', state: 'STOPPED' },
      ]);
      const { exitCode, stderr } = await machine().mngr(['exec', 'yak', 'true']);
      expect(exitCode).toBe(1);
      expect(stderr).not.toContain('Traceback');
      await machine().succeed(['gc']);
    },
    2 * SEVERAL_COMMANDS,
  );

  test(
    'another machine sees the hosts, and one that has configured nothing has no trouble',
    async () => {
      const { local, programs } = world;
      await machine().succeed([...create('doe'), '--', 'cat']);
      const home = new CliHome().with(local.up.env);
      try {
        const second = new MngrMachine(home, programs);
        await second.commit();
        const before = await second.json<HostList>(['list', '--hosts']);
        expect(before.hosts.filter(({ provider }) => provider === 'fargate')).toEqual([]);
        await home.json(['config', 'write']);
        const { hosts } = await second.json<HostList>(['list', '--hosts']);
        expect(hosts).toContainEqual(expect.objectContaining({ name: 'doe-host', provider: 'fargate' }));
      } finally {
        home.remove();
      }
      await machine().succeed(['destroy', 'doe', '-f']);
    },
    SEVERAL_COMMANDS,
  );
});
