import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOnTerminal } from '../support/cli/cli-terminal';
import { eventually } from '../support/run/eventually';
import type { AgentList, World } from './world';
import { hostsSeenBy, onHost, SEVERAL_COMMANDS } from './world';

/** An agent that runs `cat`, and where it is. */
export interface AgentOfTests extends World {
  readonly agent: string;
  readonly host: string;
}

/** mngr's commands of every day, on an agent that is there. They are the same whoever made the host. */
export function agentCommands(of: () => AgentOfTests): void {
  const machine = (): World['machine'] => of().machine;
  const agent = (): string => of().agent;

  test(
    'exec, message and capture',
    async () => {
      await expect(machine().succeed(['exec', agent(), 'cat README.md'])).resolves.toContain('what the agents work on');
      const failed = await machine().mngr(['exec', agent(), 'exit 3']);
      expect(failed.exitCode).toBe(1);
      await machine().succeed(['message', agent(), '-m', 'fix the bug in auth.py']);
      await eventually(async () =>
        expect(await machine().succeed(['capture', agent()])).toContain('fix the bug in auth.py'),
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
      await machine().succeed(['rsync', `${folder}/`, `${agent()}:files/`]);
      await expect(machine().succeed(['exec', agent(), 'cat "files/a b.txt"; echo back > files/c'])).resolves.toContain(
        'there',
      );
      await machine().succeed(['rsync', `${agent()}:files/`, `${folder}/`]);
      expect(readFileSync(join(folder, 'c'), 'utf8')).toBe('back\n');
    },
    SEVERAL_COMMANDS,
  );

  test(
    'git push and git pull',
    async () => {
      await machine().succeed(['git', 'push', agent(), '--', 'main:refs/heads/from-here']);
      const commit =
        'git config user.email a@example.com && git config user.name A && echo done > work && git add work';
      await machine().succeed([
        'exec',
        agent(),
        `git rev-parse from-here && ${commit} && git commit -qm "the agent's"`,
      ]);
      await machine().succeed(['git', 'pull', agent(), '--', '--no-rebase', `mngr/${agent()}`]);
      expect(readFileSync(join(machine().repository, 'work'), 'utf8')).toBe('done\n');
    },
    SEVERAL_COMMANDS,
  );

  test(
    "connect attaches a terminal to the agent's session",
    async () => {
      const { output, exitCode } = await runOnTerminal({
        argv: [join(of().programs, 'mngr'), 'connect', agent()],
        env: machine().env({ TERM: 'xterm-256color' }),
        cwd: machine().repository,
        steps: [
          // mngr's welcome for newcomers may open over the agent's screen and eat the first keys.
          { expect: String.raw`auth\.py`, send: `${'x'.repeat(20)}\r` },
          { expect: 'xxx', send: 'typed by hand\r' },
          { expect: 'by hand', send: '\u0002d' },
        ],
        seconds: 150,
      });
      expect({ output, exitCode }).toMatchObject({ exitCode: 0 });
      await expect(machine().succeed(['capture', agent()])).resolves.toContain('typed by hand');
      await expect(onHost(of(), of().host, 'stat /mngr/activity/ssh')).resolves.toContain('ssh');
    },
    SEVERAL_COMMANDS,
  );

  test(
    'limit changes what the watchdog goes by',
    async () => {
      await machine().succeed(['limit', agent(), '--idle-timeout', '30m', '--idle-mode', 'SSH']);
      const data = JSON.parse(await onHost(of(), of().host, 'cat /mngr/data.json')) as Record<string, unknown>;
      expect(data).toMatchObject({ idle_timeout_seconds: 1800, idle_mode: 'SSH' });
    },
    SEVERAL_COMMANDS,
  );

  test(
    'rename and label change the agent; there is nothing to take a snapshot of',
    async () => {
      await machine().succeed(['rename', agent(), 'other']);
      await machine().succeed(['label', 'other', '-l', 'team=a']);
      const { agents } = await machine().json<AgentList>(['list']);
      expect(agents).toContainEqual(
        expect.objectContaining({ name: 'other', labels: expect.objectContaining({ team: 'a' }) as unknown }),
      );
      const snapshot = await machine().mngr(['snapshot', 'create', 'other']);
      expect(snapshot).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('does not support snapshots') as unknown,
      });
      await machine().succeed(['rename', 'other', agent()]);
    },
    SEVERAL_COMMANDS,
  );

  test(
    'stop and start the agent; gc leaves the host alone',
    async () => {
      await machine().succeed(['stop', agent()]);
      const { agents } = await machine().json<AgentList>(['list']);
      expect(agents.find(({ name }) => name === agent())).toMatchObject({ state: 'STOPPED' });
      await machine().succeed(['start', agent()]);
      await machine().succeed(['gc']);
      expect(await hostsSeenBy(machine())).toContain(of().host);
    },
    SEVERAL_COMMANDS,
  );
}
