import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lib/hosts/types';
import { runOnTerminal } from '../support/cli-terminal';
import { eventually } from '../support/eventually';
import type { AgentList, World } from './world';
import { hostsSeenBy, onHost, SEVERAL_COMMANDS } from './world';

/** The commands of mngr that people use every day, on a host that our program made. */
export function poolUse(world: () => World): void {
  describe('every day', () => {
    beforeAll(() => world().local.home.json<Host>(['create', 'fox']), SEVERAL_COMMANDS);
    const machine = (): World['machine'] => world().machine;

    test(
      'list shows the host that has just been made, create puts an agent on it',
      async () => {
        await expect(hostsSeenBy(machine())).resolves.toEqual(['fox']);
        const progress = await machine().succeed([
          ...['create', 'bee@fox.fargate', '--type', 'command', '--no-connect', '--format', 'jsonl'],
          ...['--', 'cat'],
        ]);
        const events = progress
          .split('\n')
          .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Event] : []));
        expect(events.filter(({ event }) => event === 'progress').map(({ kind }) => kind)).toContain('completed');
        expect(events.find(({ event }) => event === 'created')).toMatchObject({ host_name: 'fox', ssh_user: 'root' });

        const { agents, errors } = await machine().json<AgentList>(['list']);
        expect(errors).toEqual([]);
        expect(agents).toMatchObject([
          { name: 'bee', host: { name: 'fox', provider_name: 'fargate', state: 'RUNNING' } },
        ]);
      },
      SEVERAL_COMMANDS,
    );

    test("the host's data.json has the id and the name that mngr goes by", async () => {
      const { agents } = await machine().json<AgentList>(['list']);
      const data = JSON.parse(await onHost(world(), 'fox', 'cat /mngr/data.json')) as Record<string, unknown>;
      expect(data).toMatchObject({ host_id: agents[0]?.host.id, host_name: 'fox', tmux_session_prefix: 'mngr-' });
    });

    test(
      'exec, message and capture',
      async () => {
        await expect(machine().succeed(['exec', 'bee', 'cat README.md'])).resolves.toContain('what the agents work on');
        const failed = await machine().mngr(['exec', 'bee', 'exit 3']);
        expect(failed.exitCode).toBe(1);
        await machine().succeed(['message', 'bee', '-m', 'fix the bug in auth.py']);
        await eventually(async () =>
          expect(await machine().succeed(['capture', 'bee'])).toContain('fix the bug in auth.py'),
        );
      },
      SEVERAL_COMMANDS,
    );

    test(
      'rsync there and back',
      async () => {
        const folder = machine().home.path('home', 'files');
        mkdirSync(folder);
        writeFileSync(join(folder, 'a b.txt'), 'there\n');
        await machine().succeed(['rsync', `${folder}/`, 'bee:files/']);
        await expect(machine().succeed(['exec', 'bee', 'cat "files/a b.txt"; echo back > files/c'])).resolves.toContain(
          'there',
        );
        await machine().succeed(['rsync', 'bee:files/', `${folder}/`]);
        expect(readFileSync(join(folder, 'c'), 'utf8')).toBe('back\n');
      },
      SEVERAL_COMMANDS,
    );

    test(
      'git push and git pull',
      async () => {
        await machine().succeed(['git', 'push', 'bee', '--', 'main:refs/heads/from-here']);
        const commit =
          'git config user.email a@example.com && git config user.name A && echo done > work && git add work';
        await machine().succeed([
          'exec',
          'bee',
          `git rev-parse from-here && ${commit} && git commit -qm "the agent's"`,
        ]);
        await machine().succeed(['git', 'pull', 'bee', '--', '--no-rebase', 'mngr/bee']);
        expect(readFileSync(join(machine().repository, 'work'), 'utf8')).toBe('done\n');
      },
      SEVERAL_COMMANDS,
    );

    test(
      "connect attaches a terminal to the agent's session",
      async () => {
        const { output, exitCode } = await runOnTerminal({
          argv: [join(world().programs, 'mngr'), 'connect', 'bee'],
          env: machine().env({ TERM: 'xterm-256color' }),
          cwd: machine().repository,
          steps: [
            { expect: String.raw`auth\.py`, send: 'typed by hand\r' },
            { expect: 'typed by hand', send: '\u0002d' },
          ],
          seconds: 120,
        });
        expect(output).toContain('typed by hand');
        expect(exitCode).toBe(0);
        await expect(onHost(world(), 'fox', 'stat /mngr/activity/ssh')).resolves.toContain('ssh');
      },
      SEVERAL_COMMANDS,
    );

    test(
      'limit changes what the watchdog goes by',
      async () => {
        await machine().succeed(['limit', 'bee', '--idle-timeout', '30m', '--idle-mode', 'SSH']);
        const data = JSON.parse(await onHost(world(), 'fox', 'cat /mngr/data.json')) as Record<string, unknown>;
        expect(data).toMatchObject({ idle_timeout_seconds: 1800, idle_mode: 'SSH' });
      },
      SEVERAL_COMMANDS,
    );

    test(
      'stop and start the agent; gc leaves the host alone',
      async () => {
        await machine().succeed(['stop', 'bee']);
        const { agents } = await machine().json<AgentList>(['list']);
        expect(agents).toMatchObject([{ name: 'bee', state: 'STOPPED' }]);
        await machine().succeed(['start', 'bee']);
        await machine().succeed(['gc']);
        await expect(hostsSeenBy(machine())).resolves.toEqual(['fox']);
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
        await world().local.home.json(['destroy', 'fox', '--yes']);
        await expect(hostsSeenBy(machine())).resolves.toEqual([]);
      },
      SEVERAL_COMMANDS,
    );
  });
}

interface Event {
  readonly event: string;
  readonly kind?: string;
}
