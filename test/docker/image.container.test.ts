import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { agentImage } from '../support/host/agent-image';
import { removeContainers, startContainer } from '../support/host/container';
import { bootInContainer, makeClientKey, makeTestFolder } from '../support/host/container-host';
import type { BootHost } from '../support/host/container-host';
import { until } from '../support/run/eventually';
import { ssh, sshOutput } from '../support/host/container-ssh';
import { containerEngine, describeWith, program } from '../support/run/requirements';
import { describesSetup } from './boot-setup';
import { describesHost } from './host-contract';

const run = promisify(execFile);
const needs = [containerEngine, ...['ssh', 'ssh-keygen', 'rsync', 'git'].map(program)];

describeWith(needs, 'a host in a container of the image', () => {
  let folder: string;
  let image: string;
  const boot: BootHost = (environment) => bootInContainer(image, folder)(environment);
  beforeAll(async () => {
    folder = await makeTestFolder();
    image = await agentImage();
  }, 900_000);
  afterAll(async () => {
    await removeContainers();
    await rm(folder, { recursive: true, force: true });
  });

  describesHost(boot, () => folder);
  describesSetup(boot);

  /** What a program of the image prints, without booting a host. */
  const inImage = async (...command: string[]): Promise<string> => {
    const [entrypoint, ...rest] = command as [string, ...string[]];
    return (await run('docker', ['run', '--rm', '--network', 'none', '--entrypoint', entrypoint, image, ...rest]))
      .stdout;
  };

  it("has every program of mngr's host contract", async () => {
    const programs = [
      'sshd',
      'tmux',
      'curl',
      'rsync',
      'git',
      'jq',
      'xxd',
      'flock',
      'ps',
      'bash',
      'stat',
      'find',
      'nohup',
      'sudo',
    ];
    const found = await inImage('bash', '-c', `type -P ${programs.join(' ')}`);
    expect(
      found
        .trim()
        .split('\n')
        .map((path) => path.split('/').pop()),
    ).toEqual(programs);
    expect(
      await inImage('bash', '-c', 'test -s /etc/ssl/certs/ca-certificates.crt && infocmp -x tmux-256color | head -1'),
    ).not.toBe('');
  });

  it('has no host key, no authorized key and no password', async () => {
    const found = await inImage(
      'bash',
      '-c',
      'find / -xdev \\( -name "ssh_host_*" -o -name authorized_keys -o -name data.json \\)',
    );
    expect(found).toBe('');
    expect(await inImage('grep', '^root:', '/etc/shadow')).toMatch(/^root:\*:/);
  });

  it('has no package lists, caches or logs of its making', async () => {
    const found = await inImage(
      'bash',
      '-c',
      'find /var/lib/apt/lists /var/cache/apt /var/log/apt -type f -size +0 2>/dev/null || true',
    );
    expect(found).toBe('');
  });

  it('reaps orphaned processes', async () => {
    const host = await boot();
    // Ends after its parent, so that it is the first process's to reap.
    await sshOutput(
      host,
      '(setsid bash -c "sleep 0.3" &) ; (setsid bash -c "sleep 0.2 & exec sleep 0.4" >/dev/null 2>&1 &)',
    );
    await until(async () => !(await sshOutput(host, 'ps -e -o stat=,comm=')).includes('sleep'));
    expect(await sshOutput(host, 'ps -e -o stat=,comm= | grep "^Z" || true')).toBe('');
    await host.remove();
  });

  it('keeps the nonce out of its first process', async () => {
    const host = await boot();
    const seen = await sshOutput(host, 'cat /proc/1/environ /proc/1/cmdline | tr "\\0" "\\n"');
    expect(seen).toContain('tini');
    expect(seen).not.toContain(host.nonce);
    await host.remove();
  });

  it('boots under an init of the platform as well', async () => {
    const key = await makeClientKey(folder);
    const container = await startContainer({
      image,
      environment: { MNGR_SSH_PUBLIC_KEY: key.publicKey },
      dockerArguments: ['--init'],
    });
    await until(async () => (await container.logs()).includes('Server listening'));
    expect(await container.stop(20)).toBe(143);
  });

  it('stops with code 77 without a key', async () => {
    const container = await startContainer({ image });
    expect(await container.exitCode()).toBe(77);
    expect(await container.logs()).toBe(
      'mngr: MNGR_SSH_PUBLIC_KEY is not set, so nobody could log in: set it to one OpenSSH public key\n',
    );
  });

  it('runs the same as processes of a user without rights', async () => {
    const script = [
      'useradd --create-home --shell /bin/bash agent',
      'export MNGR_ROOT=/home/agent/host MNGR_SSH_PORT=2222 MNGR_SSH_LISTEN_ADDRESS=127.0.0.1',
      'setpriv --reuid agent --regid agent --init-groups ssh-keygen -q -t ed25519 -N "" -f /home/agent/key',
      'MNGR_SSH_PUBLIC_KEY=$(cat /home/agent/key.pub) setpriv --reuid agent --regid agent --init-groups bash /usr/local/lib/mngr/entrypoint.sh &',
      'for try in $(seq 100); do ssh-keyscan -p 2222 127.0.0.1 2>/dev/null | grep -q ed25519 && break; sleep 0.1; done',
      'ssh -i /home/agent/key -p 2222 -o StrictHostKeyChecking=no agent@127.0.0.1 \'pwd; id -un; tmux new -d -s a && tmux ls -F "#S"; stat -c %U "$MNGR_HOST_DIR/data.json"\' 2>/dev/null',
      'kill %1; wait %1; echo $?; pgrep -u agent -l || echo nothing left',
    ].join('\n');
    expect(await inImage('bash', '-c', script)).toBe('/home/agent/host/root\nagent\na\nagent\n143\nnothing left\n');
  });

  it('refuses to start as another user than root', async () => {
    const key = await makeClientKey(folder);
    const container = await startContainer({
      image,
      environment: { MNGR_SSH_PUBLIC_KEY: key.publicKey },
      dockerArguments: ['--user', '1000'],
    });
    expect(await container.exitCode()).toBe(78);
    expect(await container.logs()).toContain('the host must start as root, not as user 1000');
  });

  it('gives an image built on top its own PATH and language in every session', async () => {
    const key = await makeClientKey(folder);
    const container = await startContainer({
      image,
      environment: {
        MNGR_SSH_PUBLIC_KEY: key.publicKey,
        PATH: '/opt/tool/bin:/usr/local/bin:/usr/bin:/bin',
        LANG: 'C',
      },
    });
    await until(async () => (await container.logs()).includes('Server listening'));
    const host = { address: await container.sshAddress(), user: 'root', clientKeyFile: key.file };
    const result = await ssh(host, 'echo "$PATH $LANG"; bash -lc \'echo "$PATH"\'');
    expect(result.stdout).toBe(
      '/opt/tool/bin:/usr/local/bin:/usr/bin:/bin C\n/opt/tool/bin:/usr/local/bin:/usr/bin:/bin\n',
    );
  });

  describe('coding agents', () => {
    it.each([
      ['vim', "unknown agent 'vim' in AGENTS: use claude-code, codex, gemini-cli, opencode or pi"],
      ['codex@$(reboot)', "'codex@$(reboot)' in AGENTS has no valid version: write codex@1.2.3"],
      ['codex@', "'codex@' in AGENTS has no valid version: write codex@1.2.3"],
    ])('fail the build when they are %s', async (agents, message) => {
      await expect(agentImage({ agents })).rejects.toThrow(message);
    });
  });
});
