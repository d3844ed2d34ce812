import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { bootAsProcesses, makeTestFolder } from '../support/host/container-host';
import type { BootHost } from '../support/host/container-host';
import { until } from '../support/run/eventually';
import { ssh, sshOutput } from '../support/host/container-ssh';
import { describeWith, program } from '../support/run/requirements';
import { describesHost, startMetadataEndpoint } from './host-contract';

const run = promisify(execFile);
const needs = ['sshd', 'ssh', 'tmux', 'rsync', 'git', 'jq', 'openssl', 'curl'].map(program);

describeWith(needs, 'a host as processes below MNGR_ROOT', () => {
  let folder: string;
  const boot: BootHost = (environment) => bootAsProcesses(folder)(environment);
  beforeAll(async () => {
    folder = await makeTestFolder();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describesHost(boot, () => folder);

  it('keeps its tmux sessions apart from the machine and from other hosts', async () => {
    const [one, two] = await Promise.all([boot(), boot()]);
    await sshOutput(one, 'tmux new-session -d -s mngr-one');
    expect((await ssh(two, 'tmux list-sessions')).stdout).toBe('');
    expect((await run('tmux', ['list-sessions']).catch(() => ({ stdout: '' }))).stdout).not.toContain('mngr-one');
    await Promise.all([one.remove(), two.remove()]);
  });

  it('leaves no process behind: sessions, tmux servers, daemons', async () => {
    const host = await boot();
    await sshOutput(host, 'tmux new-session -d -s mngr-a; (setsid sleep 3600 >/dev/null 2>&1 </dev/null &)');
    const root = host.pathInside('/');
    expect(await processesMentioning(root)).not.toEqual([]);
    expect(await host.stop()).toBe(143);
    await until(async () => (await processesMentioning(root)).length === 0);
    await host.remove();
  });

  it('ends with its lease and all of its processes, every time', async () => {
    // On machines with load one host in thirty once died of the signal instead, and left sshd behind.
    for (let round = 0; round < 6; round++) {
      const hosts = await Promise.all(Array.from({ length: 8 }, () => boot({ MNGR_BOOT_LEASE_SECONDS: '1' })));
      // Their logs end with the last process that holds them.
      expect(await Promise.all(hosts.map((host) => host.exitCode()))).toEqual(hosts.map(() => 75));
      await Promise.all(hosts.map((host) => host.remove()));
    }
  });

  it('writes below its root and nowhere else', async () => {
    const places = ['/mngr', '/etc/ssh', '/etc/profile.d', '/root/.ssh', '/run/mngr', '/usr/local/lib/mngr'];
    const listing = async (): Promise<string[][]> =>
      Promise.all(places.map((place) => readdir(place, { recursive: true }).catch(() => ['none'])));
    const before = await listing();
    const host = await boot();
    await sshOutput(host, 'touch file');
    expect(await listing()).toEqual(before);
    await host.remove();
  });

  it("writes the task's ARN where ECS tells it", async () => {
    const arn = 'arn:aws:ecs:us-east-1:123456789012:task/mngr/0123456789abcdef0123456789abcdef';
    const endpoint = await startMetadataEndpoint(arn);
    const host = await boot({ ECS_CONTAINER_METADATA_URI_V4: endpoint.uri });
    const data = JSON.parse(await host.readFile('/mngr/data.json')) as { plugin: unknown };
    expect(data.plugin).toEqual({ fargate: { provider: 'fargate', task_arn: arn } });
    expect(await sshOutput(host, 'echo "$ECS_CONTAINER_METADATA_URI_V4"')).toBe(`${endpoint.uri}\n`);
    await host.remove();
    await endpoint.close();
  });

  it('boots although the metadata endpoint is silent', async () => {
    const endpoint = await startMetadataEndpoint(undefined);
    const host = await boot({ ECS_CONTAINER_METADATA_URI_V4: endpoint.uri });
    const data = JSON.parse(await host.readFile('/mngr/data.json')) as { plugin: unknown };
    expect(data.plugin).toEqual({ fargate: { provider: 'fargate' } });
    await host.remove();
    await endpoint.close();
  });
});

/** Processes with this path in their environment or command line, without the ones of this test. */
async function processesMentioning(path: string): Promise<string[]> {
  const { stdout } = await run('bash', [
    '-c',
    'grep -lzF -- "$1" /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | sort -u | grep -vx "$$" || true',
    'bash',
    path,
  ]);
  const pids = stdout.split('\n').filter((pid) => pid !== '');
  const names = await Promise.all(
    pids.map((pid) => run('ps', ['-o', 'comm=', '-p', pid]).catch(() => ({ stdout: '' }))),
  );
  return names
    .map(({ stdout: name }) => name.trim())
    .filter((name) => !['', 'grep', 'bash', 'cut', 'sort', 'ssh'].includes(name));
}
