import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { provesHostKey } from '../../lib/contract/host-key-proof';
import { until } from '../support/run/eventually';
import type { BootedHost, BootHost } from '../support/host/container-host';
import {
  connectClient,
  destination,
  fingerprint,
  greeting,
  openSession,
  program,
  ssh,
  sshCommandLine,
  sshOptions,
  sshOutput,
} from '../support/host/container-ssh';
import { certifiedHostData } from './certified-host-data';

const HOST_ID = 'host-0123456789abcdef0123456789abcdef';

/** What every host keeps, however it runs. `folder` is for the test's own files. */
export function describesHost(boot: BootHost, folder: () => string): void {
  let host: BootedHost;
  beforeAll(async () => {
    host = await boot({
      MNGR_HOST_ID: HOST_ID,
      MNGR_HOST_NAME: 'contract-1',
      MNGR_PROVIDER: 'team',
      MNGR_IDLE_TIMEOUT_SECONDS: '1200',
      MNGR_MAX_HOST_AGE_SECONDS: '86400',
      MNGR_USER_TAGS: '{"env": "dev", "quote": "a\\"b, ü"}',
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/5b6c',
      AWS_REGION: 'eu-central-1',
      AWS_DEFAULT_REGION: 'eu-central-1',
    });
  });
  afterAll(() => host.remove());

  describe('logging in', () => {
    it('shows a proof of its host key in the identification string', async () => {
      const { identification, hostKey } = await greeting(host);
      expect(identification).toMatch(/^SSH-2\.0-OpenSSH_\S+ mngr-host-proof=[\w-]{43}$/);
      expect(provesHostKey(identification, host.nonce, hostKey)).toBe(true);
      expect(provesHostKey(identification, '0'.repeat(64), hostKey)).toBe(false);
    });

    it('has one host key, of type ed25519', async () => {
      const { port } = host.address;
      const { stdout } = await program('ssh-keyscan', ['-T', '30', '-p', String(port), host.address.host]);
      const keys = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(keys.map((line) => line.split(' ')[1])).toEqual(['ssh-ed25519']);
    });

    it('offers public keys and nothing else', async () => {
      const offered: string[][] = [];
      const attempt = connectClient(host, {
        privateKey: undefined,
        password: 'secret',
        authHandler: (methods, _partial, next) => {
          if (methods !== null) offered.push(methods);
          next(offered.length === 0 ? { type: 'none', username: host.user } : (false as never));
        },
      });
      await expect(attempt).rejects.toThrow(/authentication methods failed/);
      expect(offered).toEqual([['publickey']]);
    });

    it('refuses a key that it was not given', async () => {
      const other = join(folder(), 'other');
      await program('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
      const result = await ssh({ ...host, clientKeyFile: other }, 'true');
      expect(result.code).toBe(255);
      expect(result.stderr).toContain('Permission denied (publickey)');
    });

    it("logs who logged in, by the key's fingerprint", async () => {
      await sshOutput(host, 'true');
      const expected = await fingerprint(host.clientKeyFile);
      await until(async () => (await host.logs()).includes(expected));
      expect(await host.logs()).toMatch(/^Accepted publickey for \S+ from /m);
      expect(await host.logs()).not.toContain(host.nonce);
    });
  });

  describe('sessions', () => {
    it('pass exit codes and both outputs through', async () => {
      const result = await ssh(host, 'cat; echo to stderr >&2; exit 42', { input: 'line 1\nline 2 ü' });
      expect(result).toEqual({ code: 42, stdout: 'line 1\nline 2 ü', stderr: 'to stderr\n' });
    });

    it("begin in the host's home with mngr's names and the task role's credentials in the environment", async () => {
      const environment = parseEnvironment(await sshOutput(host, 'env -0; printf "PWD_NOW=%s" "$PWD"'));
      expect(environment).toMatchObject({
        HOME: host.pathInside('/root'),
        PWD_NOW: host.pathInside('/root'),
        MNGR_HOST_DIR: host.pathInside('/mngr'),
        MNGR_HOST_ID: HOST_ID,
        MNGR_HOST_NAME: 'contract-1',
        MNGR_PROVIDER: 'team',
        LANG: 'C.UTF-8',
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/5b6c',
        AWS_REGION: 'eu-central-1',
        AWS_DEFAULT_REGION: 'eu-central-1',
      });
      expect(environment).not.toHaveProperty('SSH_ORIGINAL_COMMAND');
    });

    it('take no locale from the client, because it is rarely installed', async () => {
      const sent = {
        env: { LC_ALL: 'de_DE.UTF-8', LC_CTYPE: 'UTF-8', LANG: 'fr_FR.UTF-8' },
        flags: ['-o', 'SendEnv=LANG LC_*'],
      };
      const { stdout } = await ssh(host, 'printf "%s" "$LANG $LC_ALL $LC_CTYPE"', sent);
      expect(stdout.trim()).toBe('C.UTF-8');
    });

    it('know neither the nonce nor the keys that the host was booted with', async () => {
      expect(await sshOutput(host, 'env')).not.toMatch(/NONCE|PUBLIC_KEY/);
      const search =
        'cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\\0" "\\n" | grep -c "^MNGR_BOOT_NONCE=$0" || true';
      const own = await ssh(host, `bash -c '${search}' ${host.nonce}`);
      expect(own.stdout.trim()).toBe('0');
      const files = await ssh(host, `grep -rlF ${host.nonce} "$MNGR_HOST_DIR" ~ "$MNGR_HOST_DIR/../run" 2>/dev/null`);
      expect(files.stdout).toBe('');
    });

    it('have the same PATH in login shells, which tmux starts', async () => {
      const plain = (await sshOutput(host, 'echo "$PATH"')).trim();
      expect((await sshOutput(host, 'bash -lc \'echo "$PATH"\'')).trim()).toBe(plain);
      expect(plain.split(':')).toEqual(expect.arrayContaining(['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin']));
    });

    it('have a terminal and its exit code when asked for one, and print nothing of their own', async () => {
      const result = await ssh(host, 'test -t 0 && test -t 1 && echo terminal; exit 5', { flags: ['-tt'] });
      expect(result.stdout.trim()).toBe('terminal');
      expect(result.code).toBe(5);
    });

    it('give a login shell when no command is named', async () => {
      const args = [...sshOptions(host), '-p', String(host.address.port), '-T', destination(host)];
      const result = await program('ssh', args, { input: 'shopt -q login_shell && echo login; pwd; exit 3\n' });
      expect(result.stdout).toContain(`login\n${host.pathInside('/root')}\n`);
      expect(result.code).toBe(3);
    });

    it('may be a hundred on one connection', async () => {
      const client = await connectClient(host);
      try {
        const channels = await Promise.all(Array.from({ length: 100 }, () => openSession(client, 'cat')));
        await expect(openSession(client, 'cat')).rejects.toThrow(/open failed/);
        for (const channel of channels) channel.end();
      } finally {
        client.end();
      }
    }, 120_000);

    it('run tmux with text beyond ASCII', async () => {
      const text = 'grüße → 你好 🚀';
      await sshOutput(host, "tmux new-session -d -s mngr-agent -n agent -x 200 -y 50 'cat'");
      await ssh(host, 'tmux load-buffer - && tmux paste-buffer -t =mngr-agent:agent', { input: text });
      const screen = await until(async () => {
        const shown = await sshOutput(host, 'tmux capture-pane -p -t =mngr-agent:agent');
        return shown.includes('🚀') && shown;
      });
      expect(screen).toContain(text);
      expect(await sshOutput(host, 'tmux list-sessions -F "#{session_name}"')).toBe('mngr-agent\n');
    });
  });

  describe('moving files', () => {
    it('takes them by SFTP and gives them back', async () => {
      const source = join(folder(), 'sent');
      await writeFile(source, Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256)));
      const batch = `put ${source} received\nget received ${source}.back\n`;
      const args = [...sshOptions(host), '-P', String(host.address.port), '-b', '-', destination(host)];
      expect((await program('sftp', args, { input: batch })).code).toBe(0);
      expect(await readFile(`${source}.back`)).toEqual(await readFile(source));
      expect(await sshOutput(host, 'stat -c %s ~/received')).toBe('70000\n');
    });

    it.each([[[]], [['-O']]])('takes them by scp %j', async (flags: string[]) => {
      const source = join(folder(), 'scp-source');
      await writeFile(source, 'text\n');
      const args = [
        ...sshOptions(host),
        ...flags,
        '-P',
        String(host.address.port),
        source,
        `${destination(host)}:by-scp`,
      ];
      expect(await program('scp', args)).toMatchObject({ code: 0, stderr: '' });
      expect(await sshOutput(host, 'cat ~/by-scp; rm ~/by-scp')).toBe('text\n');
    });

    it('takes folders by rsync', async () => {
      const source = await mkdtemp(join(folder(), 'tree'));
      await writeFile(join(source, 'a file ü'), 'content');
      const args = ['-a', '-e', sshCommandLine(host), `${source}/`, `${destination(host)}:tree/`];
      expect(await program('rsync', args)).toMatchObject({ code: 0, stderr: '' });
      expect(await sshOutput(host, "cat ~/tree/'a file ü'")).toBe('content');
    });

    it('takes commits by git push and gives them to a clone', async () => {
      const work = await mkdtemp(join(folder(), 'work'));
      const env = { GIT_SSH_COMMAND: sshCommandLine(host), GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
      const git = (...args: string[]): Promise<unknown> => program('git', ['-C', work, ...args], { env });
      await sshOutput(host, 'git init -q --bare ~/repository.git');
      await git('init', '-q', '-b', 'main');
      await git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-q', '--allow-empty', '-m', 'first');
      expect(await git('push', '-q', `${destination(host)}:repository.git`, 'main')).toMatchObject({ code: 0 });
      expect(await git('ls-remote', `${destination(host)}:repository.git`, 'main')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('refs/heads/main'),
      });
    });
  });

  describe("mngr's host directory", () => {
    it('has the data that mngr reads, and nothing more', async () => {
      const data = certifiedHostData.parse(JSON.parse(await host.readFile('/mngr/data.json')));
      expect(data).toMatchObject({
        host_id: HOST_ID,
        host_name: 'contract-1',
        idle_timeout_seconds: 1200,
        idle_mode: 'IO',
        activity_sources: ['USER', 'AGENT', 'SSH', 'CREATE', 'START', 'BOOT'],
        max_host_age: 86400,
        plugin: { fargate: { provider: 'team' } },
        user_tags: { env: 'dev', quote: 'a"b, ü' },
      });
    });

    it('has the time of the boot and places for commands, events and logs', async () => {
      const data = certifiedHostData.parse(JSON.parse(await host.readFile('/mngr/data.json')));
      const boot = JSON.parse(await host.readFile('/mngr/activity/boot')) as { time: number; host_id: string };
      expect(boot).toEqual({ time: Date.parse(data.created_at), host_id: HOST_ID });
      expect(
        await sshOutput(host, 'cd "$MNGR_HOST_DIR" && ls -d commands events logs && test -x commands/shutdown.sh'),
      ).toBe('commands\nevents\nlogs\n');
    });
  });

  describe('ending', () => {
    it('ends on SIGTERM with code 143, with sessions open and agents that ignore the signal', async () => {
      const ending = await boot();
      await sshOutput(ending, `tmux new-session -d -s mngr-a 'trap "" TERM; while :; do sleep 1; done'`);
      const open = ssh(ending, 'trap "" TERM; echo started; while :; do sleep 1; done');
      await until(async () => (await ending.logs()).includes('Accepted publickey'));
      expect(await ending.stop()).toBe(143);
      expect((await open).code).not.toBe(0);
      expect(await ending.logs()).toContain('stopped by SIGTERM');
      await ending.remove();
    });

    it('ends by its own shutdown.sh with the reason in the log', async () => {
      const ending = await boot();
      await ssh(ending, '"$MNGR_HOST_DIR/commands/shutdown.sh" STOPPED');
      expect(await ending.exitCode()).toBe(143);
      expect(await ending.logs()).toContain('the host shuts itself down: STOPPED');
      await ending.remove();
    });

    it('ends with code 75 when nobody logs in within the boot lease', async () => {
      const ending = await boot({ MNGR_BOOT_LEASE_SECONDS: '1' });
      expect(await ending.exitCode()).toBe(75);
      expect(await ending.logs()).toContain('boot lease of 1 s expired: nobody logged in');
      await ending.remove();
    });

    it('is not kept alive by connections that do not log in', async () => {
      const ending = await boot({ MNGR_BOOT_LEASE_SECONDS: '4' });
      await greeting(ending);
      const impostor = join(folder(), 'impostor');
      await program('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', impostor]);
      expect(
        (await ssh({ ...ending, clientKeyFile: impostor, user: 'Accepted publickey for root from' }, 'true')).code,
      ).toBe(255);
      expect(await ending.exitCode()).toBe(75);
      await ending.remove();
    });

    it('keeps running once somebody has logged in', async () => {
      const lasting = await boot({ MNGR_BOOT_LEASE_SECONDS: '5' });
      // The session outlasts the lease on the host's own clock.
      expect(await sshOutput(lasting, 'sleep 7; echo still here')).toBe('still here\n');
      expect(await sshOutput(lasting, 'echo again')).toBe('again\n');
      await lasting.remove();
    });
  });

  it('boots again with its key, its data and the keys that were added', async () => {
    const first = await boot({ MNGR_IDLE_TIMEOUT_SECONDS: '0' });
    const before = await greeting(first);
    const data = certifiedHostData.parse(JSON.parse(await first.readFile('/mngr/data.json')));
    expect(data).toMatchObject({
      idle_timeout_seconds: 0,
      activity_sources: [],
      idle_mode: 'DISABLED',
      max_host_age: null,
    });
    const limited = { ...data, idle_timeout_seconds: 60, activity_sources: ['BOOT'] };
    await ssh(first, 'cat > "$MNGR_HOST_DIR/data.json"; echo "# added" >> ~/.ssh/authorized_keys', {
      input: JSON.stringify(limited),
    });
    const keys = await first.readFile('/root/.ssh/authorized_keys');
    expect(await first.stop()).toBe(143);

    const second = await first.startAgain();
    const after = await greeting(second);
    expect(after.hostKey).toEqual(before.hostKey);
    expect(provesHostKey(after.identification, second.nonce, after.hostKey)).toBe(true);
    expect(JSON.parse(await second.readFile('/mngr/data.json'))).toEqual(limited);
    expect(await second.readFile('/root/.ssh/authorized_keys')).toBe(keys);
    expect(await sshOutput(second, 'echo "$MNGR_HOST_ID"')).toBe(`${data.host_id}\n`);
    await second.remove();
  });

  it('makes another host key for every host', async () => {
    const other = await boot();
    expect((await greeting(other)).hostKey).not.toEqual((await greeting(host)).hostKey);
    await other.remove();
  });
}

/** An ECS task metadata endpoint (version 4) on a loopback port. */
export async function startMetadataEndpoint(
  taskArn: string | undefined,
): Promise<{ uri: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    // Without an ARN it is one that never answers.
    if (taskArn !== undefined && request.url === '/v4/abc/task') response.end(JSON.stringify({ TaskARN: taskArn }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v4/abc`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parseEnvironment(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\0').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
