import { rm } from 'node:fs/promises';
import { bootAsProcesses, makeTestFolder } from '../support/host/container-host';
import type { BootHost } from '../support/host/container-host';
import { until } from '../support/run/eventually';
import { connectClient, sshOutput } from '../support/host/container-ssh';
import { describeWith, program } from '../support/run/requirements';
import { age, ageing, describesWatchdog, EAGER, exists, inHostDirectory, limit, passRounds } from './watchdog-rules';

const needs = ['sshd', 'ssh', 'tmux', 'jq', 'openssl', 'curl', 'flock'].map(program);

describeWith(needs, 'the watchdog of a host as processes', () => {
  let folder: string;
  const boot: BootHost = (environment) => bootAsProcesses(folder)(environment);
  beforeAll(async () => {
    folder = await makeTestFolder();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describesWatchdog(boot);

  it('follows the limits of data.json while it runs', async () => {
    const host = await boot(EAGER);
    await limit(host, { idle_timeout_seconds: 100_000 });
    await age(host, 'activity/*', '2 hours ago');
    await passRounds(host);
    await limit(host, { idle_timeout_seconds: 60 });
    expect(await host.exitCode()).toBe(143);
    expect(await host.logs()).toContain('latest boot, idle_timeout_seconds 60');
    await host.remove();
  });

  it('reads the limits again before it ends a host', async () => {
    const host = await boot(EAGER);
    await until(async () => (await host.logs()).includes('limits of this host'));
    // In one command, so that the next look finds both.
    await limit(host, { idle_timeout_seconds: 100_000 }, ageing('activity/*', '2 hours ago'));
    await passRounds(host);
    await host.remove();
  });

  it('ends a host without agents on what it sees of the host alone', async () => {
    const host = await boot(EAGER);
    await sshOutput(host, 'tmux new-session -d -s mngr-one "sleep 100000"');
    await age(host, 'activity/*', '50 minutes ago');
    await passRounds(host);
    await host.inside('tmux kill-session -t =mngr-one');
    await passRounds(host);
    await age(host, 'activity/*', '2 hours ago');
    expect(await host.exitCode()).toBe(143);
    expect(await host.logs()).toContain('the host shuts itself down: PAUSED');
    await host.remove();
  });

  it('does not count a connection that only forwards ports', async () => {
    const host = await boot(EAGER);
    const client = await connectClient(host);
    await age(host, 'activity/*', '50 minutes ago');
    await passRounds(host);
    expect(await exists(host, 'activity/ssh')).toBe(false);
    await age(host, 'activity/*', '2 hours ago');
    expect(await host.exitCode()).toBe(143);
    client.end();
    await host.remove();
  });

  it('waits for a lock file of mngr 0.2 until it is an hour old', async () => {
    const host = await boot(EAGER);
    await inHostDirectory(host, 'echo 1790000000.5 > host_lock');
    await age(host, 'activity/*', '2 hours ago');
    await until(async () => (await host.logs()).includes('waits for mngr to release the host lock'));
    await age(host, 'host_lock', '59 minutes ago');
    await passRounds(host);
    await age(host, 'host_lock', '61 minutes ago');
    expect(await host.exitCode()).toBe(143);
    expect(await host.readFile('/mngr/host_lock')).toBe('1790000000.5\n');
    expect(await host.readFile('/mngr/host_lock.generation')).toBe('1\n');
    await host.remove();
  });

  it.each([
    ['no JSON', '{"idle_timeout_seconds": 60'],
    ['not an object', '[]'],
    ['a timeout of words', '{"idle_timeout_seconds": "soon"}'],
    ['a negative age', '{"max_host_age": -1}'],
    ['sources of numbers', '{"activity_sources": [1]}'],
    ['two documents', '{} {}'],
    ['nothing', ''],
  ])('keeps the last limits that it could read when data.json is broken: %s', async (_name, text) => {
    const host = await boot(EAGER);
    await limit(host, { idle_timeout_seconds: 7200 });
    await until(async () => (await host.logs()).includes('idle timeout 7200 s'));
    await inHostDirectory(host, `printf %s '${text}' >data.json`);
    await until(async () => (await host.logs()).includes('data.json is broken, the limits stay: idle timeout 7200 s'));
    await age(host, 'activity/*', '3 hours ago');
    expect(await host.exitCode()).toBe(143);
    expect((await host.logs()).match(/data.json is broken/g)).toHaveLength(1);
    await host.remove();
  });

  it("goes by the boot's settings when data.json was never to be read", async () => {
    const host = await boot({ ...EAGER, MNGR_IDLE_TIMEOUT_SECONDS: '7200' });
    await inHostDirectory(host, 'rm data.json');
    await until(async () => (await host.logs()).includes('data.json is missing, the limits stay: idle timeout 7200 s'));
    await age(host, 'activity/*', '3 hours ago');
    expect(await host.exitCode()).toBe(143);
    await host.remove();
  });

  it('ends a host that has lost its whole directory', async () => {
    const host = await boot({ ...EAGER, MNGR_IDLE_TIMEOUT_SECONDS: '5' });
    await host.inside('rm -rf "$MNGR_HOST_DIR"');
    expect(await host.exitCode()).toBe(143);
    expect(await host.logs()).toContain('latest boot, idle_timeout_seconds 5');
    await host.remove();
  });

  it.each([
    ['does nothing', '#!/bin/sh'],
    ['hangs', '#!/bin/sh\nexec sleep 100'],
    ['is missing', undefined],
  ])('ends the host although its shutdown.sh %s', async (_name, script) => {
    const host = await boot(EAGER);
    const change = script === undefined ? 'rm commands/shutdown.sh' : `printf %s '${script}' >commands/shutdown.sh`;
    await inHostDirectory(host, change);
    await age(host, 'activity/*', '2 hours ago');
    expect(await host.exitCode()).toBe(143);
    expect((await host.logs()).includes('commands/shutdown.sh has not ended this host')).toBe(script !== undefined);
    await host.remove();
  });

  it('comes back when it is killed', async () => {
    const host = await boot(EAGER);
    const watchdog = `pgrep -f "watchdog.sh $(pgrep -f 'sshd.*${host.pathInside('/run/mngr/sshd_config')}' | head -n 1)"`;
    await host.inside(`kill -9 $(${watchdog})`);
    await until(async () => (await host.logs()).includes('the watchdog has ended: another one starts in 1 s'));
    await age(host, 'activity/*', '2 hours ago');
    expect(await host.exitCode()).toBe(143);
    await host.remove();
  });

  it('is over with its host', async () => {
    const host = await boot(EAGER);
    await passRounds(host);
    expect(await host.stop()).toBe(143);
    const left = await host.inside(`pgrep -af watchdog.sh || true`);
    expect(left).not.toContain(host.pathInside('/'));
    await host.remove();
  });
});
