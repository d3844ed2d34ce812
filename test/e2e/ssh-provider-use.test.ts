import type { Host } from '../../lib/hosts/model/types';
import { agentCommands } from './agent-commands';
import { describeWith } from '../support/run/requirements';
import type { AgentList, World } from './world';
import { E2E, eventsIn, hostsSeenBy, onHost, SEVERAL_COMMANDS, START_UP, startWorld } from './world';

/** The commands of mngr that people use every day, on a host that our program made. */
describeWith(E2E, 'released mngr with its own ssh provider, every day', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('ssh');
  }, START_UP);
  afterAll(() => world?.stop(), START_UP);

  beforeAll(() => world.local.home.json<Host>(['create', 'fox']), SEVERAL_COMMANDS);
  const machine = (): World['machine'] => world.machine;

  test(
    'list shows the host that has just been made, create puts an agent on it',
    async () => {
      await expect(hostsSeenBy(machine())).resolves.toEqual(['fox']);
      const progress = await machine().succeed([
        ...['create', 'bee@fox.fargate', '--type', 'command', '--no-connect', '--format', 'jsonl'],
        ...['--', 'cat'],
      ]);
      const events = eventsIn(progress);
      expect(events.filter(({ event }) => event === 'progress').map(({ kind }) => kind)).toContain('completed');
      expect(events.find(({ event }) => event === 'created')).toMatchObject({ host_name: 'fox', ssh_user: 'root' });

      const { agents, errors } = await machine().json<AgentList>(['list']);
      expect(errors).toEqual([]);
      expect(agents).toMatchObject([
        { name: 'bee', host: { name: 'fox', provider_name: 'fargate', state: 'RUNNING' } },
      ]);
      const data = JSON.parse(await onHost(world, 'fox', 'cat /mngr/data.json')) as unknown;
      expect(data).toMatchObject({ host_id: agents[0]?.host.id, host_name: 'fox', tmux_session_prefix: 'mngr-' });
    },
    SEVERAL_COMMANDS,
  );

  agentCommands(() => ({ ...world, agent: 'bee', host: 'fox' }));

  test(
    'what its provider cannot do is refused in a sentence',
    async () => {
      for (const { words, reason } of [
        { words: ['create', 'ant@.fargate', '--type', 'command', '--no-connect', '--', 'cat'], reason: 'creating' },
        { words: ['rename', '--host', 'bee', 'owl'], reason: 'renaming' },
        { words: ['stop', 'bee', '--stop-host'], reason: 'stopping' },
        { words: ['destroy', '@fox.fargate', '-f'], reason: 'destroying' },
      ]) {
        const { exitCode, stdout, stderr } = await machine().mngr(words);
        expect({ words, exitCode }).toEqual({ words, exitCode: 1 });
        expect(stdout + stderr).toContain(`SSH provider does not support ${reason} hosts`);
        expect(stdout + stderr).not.toContain('Traceback');
      }
      await expect(machine().json<AgentList>(['list'])).resolves.toMatchObject({ agents: [{ name: 'bee' }] });
    },
    SEVERAL_COMMANDS,
  );

  test(
    'a second agent can be destroyed; the last one leaves the host to our own program',
    async () => {
      await machine().succeed(['create', 'ant@fox.fargate', '--type', 'command', '--no-connect', '--', 'cat']);
      await machine().succeed(['destroy', 'ant', '-f']);
      const last = await machine().mngr(['destroy', 'bee', '-f']);
      expect(last.stdout + last.stderr).toContain('SSH provider does not support destroying hosts');
      await expect(machine().json<AgentList>(['list'])).resolves.toMatchObject({ agents: [], errors: [] });
      await world.local.home.json(['destroy', 'fox', '--yes']);
      await expect(hostsSeenBy(machine())).resolves.toEqual([]);
    },
    SEVERAL_COMMANDS,
  );
});
