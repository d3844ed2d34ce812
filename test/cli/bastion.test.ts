import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { stripVTControlCharacters } from 'node:util';
import type { Host } from '../../lib/hosts/model/types';
import { generateKeyPair } from '../../lib/ssh';
import { CliLocal, localHosts, START_UP } from '../support/cli/cli-local';
import { runInTerminal, terminal } from '../support/cli/cli-terminal';
import { startSshd } from '../support/host/sshd';
import type { TestSshd } from '../support/host/sshd';
import { startAgent, TestUserSsh } from '../support/host/user-ssh';
import { freePort } from '../support/run/free-port';
import { describeWith, program } from '../support/run/requirements';

const run = promisify(execFile);

describeWith(
  [...localHosts, terminal, ...['ssh-agent', 'ssh-add'].map(program)],
  'hosts behind a bastion, with the real program',
  () => {
    let local: CliLocal;
    let bastion: TestSshd;
    let user: TestUserSsh;
    let jump: string;
    beforeAll(async () => {
      [local, bastion] = await Promise.all([CliLocal.start(), startSshd({ versionAddendum: 'none' })]);
      user = new TestUserSsh(local.home.path('home')).has(bastion.clientKey);
      jump = `${bastion.user}@127.0.0.1:${bastion.port}`;
    }, START_UP);
    afterAll(async () => {
      await bastion.stop();
      await local.stop();
    });

    const callsOf = async (operation: string): Promise<number> => {
      const { operations } = (await local.control('GET', 'calls')) as {
        readonly operations: Readonly<Record<string, { readonly count: number }>>;
      };
      return operations[operation]?.count ?? 0;
    };
    const sessions = (): Promise<number> => callsOf('ssm:StartSession');

    test('a bastion that known_hosts does not have ends a create before a task is started', async () => {
      const { exitCode, stderr } = await local.home.run(['create', 'gnu', '-J', jump]);
      expect(stderr).toMatch(/the bastion \S+ shows host key SHA256:\S+, which is not in known_hosts/);
      expect(exitCode).toBe(8);
      expect(await callsOf('ecs:RunTask')).toBe(0);
      user.knows(TestUserSsh.line(bastion));
    });

    test(
      'create, exec, list, mngr sync and ssh go through it and not through Session Manager',
      async () => {
        const { home } = local;
        const fox = await home.json<Host>(['create', 'fox', '-J', jump]);
        expect(fox).toMatchObject({ ready: true });
        await expect(home.run(['exec', 'fox', '-J', jump, '--', 'echo', 'out'])).resolves.toMatchObject({
          exitCode: 0,
          stdout: 'out\n',
        });
        expect(await sessions()).toBe(0);

        // mngr and other programs know the bastion only by ssh's configuration.
        const variable = home.with({ MNGR_FARGATE_PROXY_JUMP: jump });
        await expect(variable.run(['mngr', 'sync'])).resolves.toMatchObject({
          exitCode: 2,
          stderr: expect.stringContaining('config ssh') as string,
        });
        expect(await home.json(['config', 'ssh', '--proxy-jump', jump])).toMatchObject({ hosts: ['fox'] });
        const config = home.path('home/.ssh/config');
        const words = ['-F', config, fox.hostId, 'echo', 'by ssh'];
        await expect(run('ssh', words, { env: home.env(), timeout: 120_000 })).resolves.toMatchObject({
          stdout: 'by ssh\n',
        });
        await expect(variable.json(['mngr', 'sync'])).resolves.toMatchObject({ hosts: [{ address: fox.hostId }] });
        expect(await sessions()).toBe(0);

        const elsewhere = `127.0.0.1:${await freePort()}`;
        await expect(variable.run(['exec', 'fox', '-J', elsewhere, '--', 'true'])).resolves.toMatchObject({
          exitCode: 10,
          stderr: expect.stringMatching(/cannot reach the bastion .*: connection refused/) as string,
        });
        await expect(variable.run(['exec', 'fox', '-J', 'none', '--', 'true'])).resolves.toMatchObject({ exitCode: 0 });
        expect(await sessions()).toBe(1);
      },
      START_UP,
    );

    test.each([
      ['two ways', ['exec', 'fox', '--set', 'transport=ssm'], 'two ways to the hosts'],
      ['no address', ['exec', 'fox', '-J', '-oProxyCommand=x'], 'proxy_jump must be [USER@]HOST[:PORT]'],
      ['a task', ['exec', '--task', 'abc', '-J', 'gate'], '--proxy-jump is for hosts'],
    ])('%s is refused', async (_what, words, said) => {
      const all = [...words, ...(words.includes('-J') ? [] : ['-J', jump]), '--', 'true'];
      const { exitCode, stderr } = await local.home.run(all);
      expect(stderr).toContain(said);
      expect(exitCode).toBe(2);
    });

    test(
      'connect forwards a port while it is connected, and the agent where it is asked to',
      async () => {
        const { home } = local;
        const answering = createServer((socket) => socket.end('from there\n'));
        await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
        const { port: there } = answering.address() as AddressInfo;
        const here = await freePort();
        const agent = await startAgent(generateKeyPair('of-mine'));
        try {
          const script = `exec 3<>/dev/tcp/127.0.0.1/${here} && cat <&3; ssh-add -L; echo "status $?"`;
          const connect = ['connect', 'fox', '-J', jump, '-L', `${here}:localhost:${there}`];
          const env = { SSH_AUTH_SOCK: agent.socket };
          const command = ['--', 'bash', '-c', script];
          const without = await runInTerminal(home, [...connect, ...command], [], env);
          expect(stripVTControlCharacters(without.output)).toMatch(/from there[\s\S]*status 2/);
          const withAgent = await runInTerminal(home, [...connect, '-A', ...command], [], env);
          expect(withAgent.output).toMatch(/from there[\s\S]*of-mine[\s\S]*status 0/);
          expect(withAgent.exitCode).toBe(0);

          const taken = ['connect', 'fox', '-J', jump, '-L', `${there}:localhost:${there}`, '--', 'true'];
          const refused = await runInTerminal(home, taken, []);
          expect(refused.output).toMatch(/Address already in use/);
          expect(refused.exitCode).toBe(255);
        } finally {
          await agent.stop();
          answering.close();
        }
        for (const env of [{ SSH_AUTH_SOCK: '' }, { SSH_AUTH_SOCK: agent.socket }]) {
          const { stdout, exitCode } = await home.run(['--json', 'connect', 'fox', '-A'], { env });
          expect(stdout).toContain('there is no ssh-agent to forward');
          expect(exitCode).toBe(2);
        }
      },
      START_UP,
    );
  },
);
