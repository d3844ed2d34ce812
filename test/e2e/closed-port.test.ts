import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { startSshd } from '../support/host/sshd';
import { TestUserSsh } from '../support/host/user-ssh';
import { MngrMachine } from '../support/mngr/mngr-machine';
import { describeWith } from '../support/run/requirements';
import type { AgentList, World } from './world';
import { E2E, ended, SEVERAL_COMMANDS, START_UP, startWorld } from './world';

interface Reached {
  readonly agents: readonly {
    readonly name: string;
    readonly host: { readonly id: string; readonly ssh: { readonly host: string } };
  }[];
  readonly errors: readonly unknown[];
}

/** mngr's own commands on a host of the default stack, whose port 22 is closed, after `config ssh`. */
describeWith(E2E, 'released mngr with hosts whose port 22 is closed', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('plugin');
    await world.local.home.json(['config', 'ssh']);
    const { home } = world.machine;
    // ssh looks for its configuration in the home of the user database, which is none of a test's.
    const ssh = home.path('bin', 'ssh');
    writeFileSync(ssh, `#!/bin/sh\nexec /usr/bin/ssh -F '${home.path('home/.ssh/config')}' "$@"\n`);
    chmodSync(ssh, 0o755);
  }, START_UP);
  afterAll(() => world?.stop(), START_UP);

  const sessions = async (): Promise<number> => {
    const calls = (await world.local.control('GET', 'calls')) as {
      readonly operations: Readonly<Record<string, { readonly count: number } | undefined>>;
    };
    return calls.operations['ssm:StartSession']?.count ?? 0;
  };

  test(
    'create, list, exec, message, capture, rsync, git pull, limit and destroy go through Session Manager',
    async () => {
      const { machine } = world;
      await machine.succeed([
        'create',
        'a@closed.fargate',
        '--new-host',
        '--type',
        'command',
        '--no-connect',
        '--',
        'cat',
      ]);
      const { agents, errors } = await machine.json<Reached>(['list']);
      expect(errors).toEqual([]);
      expect(agents).toMatchObject([{ name: 'a', host: { ssh: { host: agents[0]?.host.id } } }]);

      const before = await sessions();
      expect(await machine.succeed(['exec', 'a', 'echo $((6 * 7))'])).toContain('42');
      expect(await sessions()).toBeGreaterThan(before);
      await machine.succeed(['message', 'a', '-m', 'hello there']);
      expect(await machine.succeed(['capture', 'a'])).toContain('hello there');
      await machine.succeed([
        'exec',
        'a',
        'echo there > from-host && git add -A && git -c user.name=x -c user.email=x@x commit -qm two',
      ]);
      const beforeGit = await sessions();
      await machine.succeed(['git', 'pull', 'a']);
      expect(await sessions()).toBeGreaterThan(beforeGit);
      expect(readFileSync(`${machine.repository}/from-host`, 'utf8')).toBe('there\n');
      writeFileSync(`${machine.repository}/sent`, 'sent\n');
      await machine.succeed(['rsync', './', 'a:', '--uncommitted-changes', 'clobber']);
      expect(await machine.succeed(['exec', 'a', 'cat sent'])).toContain('sent');
      await machine.succeed(['limit', 'a', '--idle-timeout', '30m']);
      await machine.succeed(['destroy', 'a', '-f']);
      await ended(world, 'closed', SEVERAL_COMMANDS);
      expect((await machine.json<AgentList>(['list'])).agents).toEqual([]);
    },
    2 * SEVERAL_COMMANDS,
  );

  test(
    'create, exec, rsync and destroy go through a bastion where one is named',
    async () => {
      const bastion = await startSshd({ versionAddendum: 'none' });
      try {
        const { home } = world.machine;
        new TestUserSsh(home.path('home')).has(bastion.clientKey).knows(TestUserSsh.line(bastion));
        const jump = `${bastion.user}@127.0.0.1:${bastion.port}`;
        await home.json(['config', 'ssh', '--proxy-jump', jump]);
        const machine = new MngrMachine(home.with({ MNGR_FARGATE_PROXY_JUMP: jump }), world.programs);
        await machine.commit();
        const before = await sessions();
        await machine.succeed([
          ...['create', 'b@behind.fargate', '--new-host', '--type', 'command', '--no-connect'],
          ...['--', 'cat'],
        ]);
        expect(await machine.succeed(['exec', 'b', 'echo $((6 * 7))'])).toContain('42');
        writeFileSync(`${machine.repository}/sent-too`, 'sent\n');
        await machine.succeed(['rsync', './', 'b:', '--uncommitted-changes', 'clobber']);
        expect(await machine.succeed(['exec', 'b', 'cat sent-too'])).toContain('sent');
        await machine.succeed(['destroy', 'b', '-f']);
        await ended(world, 'behind', SEVERAL_COMMANDS);
        expect(await sessions()).toBe(before);
      } finally {
        await bastion.stop();
      }
    },
    2 * SEVERAL_COMMANDS,
  );
});
