import type { Host } from '../../lib/hosts/model/types';
import { agentCommands } from './agent-commands';
import { describeWith } from '../support/run/requirements';
import type { AgentList, HostList, World } from './world';
import { E2E, ended, eventsIn, hostsSeenBy, onHost, SEVERAL_COMMANDS, START_UP, startWorld } from './world';

/** The commands of the README, as somebody types them who has the plugin and a deployed stack. */
describeWith(E2E, 'released mngr with the plugin, every day', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('plugin');
  }, START_UP);
  afterAll(() => world?.stop(), START_UP);

  const machine = (): World['machine'] => world.machine;
  let host = '';

  test(
    'create makes a host of its own for the agent, and says how far it is',
    async () => {
      const output = await machine().succeed([
        ...['create', 'my-agent@.fargate', '--type', 'command', '--no-connect', '--format', 'jsonl'],
        ...['--host-label', 'team=a', '-b', 'cpu=512', '-b', '--memory=1024', '--idle-timeout', '20m', '--', 'cat'],
      ]);
      const events = eventsIn(output);
      const done = events.filter(({ kind }) => kind === 'completed').map(({ step }) => step);
      expect(done).toEqual(expect.arrayContaining(['fargate.run_task', 'fargate.ssh', 'fargate.setup']));
      host = events.find(({ event }) => event === 'created')?.host_name ?? '';

      const task = await machine().home.json<Host>(['show', host]);
      expect(task).toMatchObject({ cpu: 512, memory: 1024, tags: { team: 'a' }, ready: true });
      const data = JSON.parse(await onHost(world, host, 'cat /mngr/data.json')) as unknown;
      expect(data).toMatchObject({ host_id: task.hostId, host_name: host, idle_timeout_seconds: 1200 });
    },
    SEVERAL_COMMANDS,
  );

  test(
    'list',
    async () => {
      const { agents, errors } = await machine().json<AgentList>(['list']);
      expect(errors).toEqual([]);
      expect(agents).toMatchObject([{ name: 'my-agent', host: { name: host, provider_name: 'fargate' } }]);
    },
    SEVERAL_COMMANDS,
  );

  agentCommands(() => ({ ...world, agent: 'my-agent', host }));

  test(
    'clone and migrate take an agent to a host of its own; a host can be renamed, and not stopped',
    async () => {
      const settings = ['--no-ensure-clean', '--type', 'command', '--no-connect', '--', 'cat'];
      await machine().succeed(['clone', 'my-agent', 'copy@.fargate', ...settings]);
      await machine().succeed(['migrate', 'copy', 'moved@moved-host.fargate', '--new-host', ...settings]);
      await machine().succeed(['rename', '--host', 'moved', 'renamed-host']);
      const { agents } = await machine().json<AgentList>(['list']);
      expect(agents.map(({ name, host: { name: on } }) => `${name} on ${on}`).sort()).toEqual([
        'moved on renamed-host',
        `my-agent on ${host}`,
      ]);
      await expect(machine().succeed(['exec', 'moved', 'cat work'])).resolves.toContain('done');
      const refused = await machine().mngr(['stop', 'moved', '--stop-host']);
      expect(refused.stderr).toContain('does not support stopping hosts');
      await machine().succeed(['destroy', '@renamed-host.fargate', '-f']);
      // ECS drops the tags of a task that stops, and with them its new name.
      await ended(world, 'moved-host', SEVERAL_COMMANDS);
    },
    SEVERAL_COMMANDS,
  );

  test(
    'destroy ends the host with its last agent',
    async () => {
      await machine().succeed(['destroy', 'my-agent', '-f']);
      await ended(world, host, SEVERAL_COMMANDS);
      await expect(hostsSeenBy(machine())).resolves.toEqual([]);
      const { hosts } = await machine().json<HostList>(['list', '--hosts']);
      expect(hosts).toContainEqual(expect.objectContaining({ name: host, state: 'DESTROYED' }));
    },
    SEVERAL_COMMANDS,
  );
});
