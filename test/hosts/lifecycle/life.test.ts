import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { CreateProgress, Hosts } from '../../../lib/hosts';
import { until } from '../../support/run/eventually';
import { describeWith, program } from '../../support/run/requirements';
import { startHostsEnvironment } from '../../support/host/hosts-environment';
import type { HostsEnvironment } from '../../support/host/hosts-environment';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function output(hosts: Hosts, name: string, command: readonly string[], options = {}): Promise<string> {
  const stdout = new PassThrough();
  const all = text(stdout);
  await hosts.exec(name, command, { stdout, ...options });
  stdout.end();
  return all;
}

describeWith([program('sshd'), program('tmux')], 'the life of a host', () => {
  let environment: HostsEnvironment;
  let hosts: Hosts;
  let keyDirectory: string;

  beforeAll(async () => {
    environment = await startHostsEnvironment();
    keyDirectory = environment.keyDirectory();
    hosts = environment.hosts({ keyDirectory });
  });
  afterAll(async () => {
    await hosts.destroyAll();
    await environment.close();
  });
  afterEach(() => expect(environment.local.faults).toEqual([]));

  test('create gives a ready host with a pinned key, its environment and its tags', async () => {
    const steps: CreateProgress[] = [];
    const host = await hosts.create(
      { name: 'first', env: { GREETING: "it's $HOME\n2" }, tags: { team: 'a b' }, idleTimeout: 600, maxAge: 3600 },
      { onProgress: (progress) => steps.push(progress) },
    );
    expect(host).toMatchObject({
      name: 'first',
      ready: true,
      tags: { team: 'a b' },
      cpu: 256,
      memory: 512,
      provider: 'fargate',
    });
    expect([...new Set(steps.map(({ step }) => step))]).toEqual([
      'keys',
      'run-task',
      'address',
      'ssh',
      'setup',
      'ready',
    ]);
    const folder = join(keyDirectory, 'hosts', host.hostId);
    expect(modeOf(folder)).toBe('700');
    expect(['id_ed25519', 'known_hosts', 'host.json'].map((file) => modeOf(join(folder, file)))).toEqual([
      '600',
      '600',
      '600',
    ]);
    const record = readFileSync(join(folder, 'host.json'), 'utf8');
    expect(JSON.parse(record)).toMatchObject({ nonce: null, setup: null, taskArn: host.taskArn });
    expect(await output(hosts, 'first', ['sh', '-c', 'printf %s "$GREETING"'])).toBe("it's $HOME\n2");

    const found = await hosts.get('first');
    expect(found).toMatchObject({
      hostId: host.hostId,
      ready: true,
      address: host.address,
      identityFile: join(folder, 'id_ed25519'),
    });
    // ECS creates the task a moment after its expiry was reckoned.
    const minutes = (Date.parse(found.expiresAt as string) - Date.parse(found.createdAt)) / 60_000;
    expect(Math.ceil(minutes)).toBe(60);
    const ids = (await hosts.list()).map(({ hostId }) => hostId);
    expect(ids).toContain(host.hostId);
    await expect(hosts.get(host.hostId)).resolves.toMatchObject({ name: 'first' });
    await expect(hosts.get(host.taskArn)).resolves.toMatchObject({ name: 'first' });
  });

  test('exec keeps outputs apart, passes codes, arguments, input, folder and variables', async () => {
    const odd = ["it's", '$HOME', '*', '', '-n', 'ü 😀', 'two\nlines'];
    expect(await output(hosts, 'first', ['printf', '<%s>', ...odd])).toBe(odd.map((word) => `<${word}>`).join(''));
    await expect(hosts.exec('first', ['sh', '-c', 'exit 42'])).resolves.toEqual({ exitCode: 42, signal: null });
    const input = { stdin: Readable.from(['from here']), workingDirectory: '/usr', env: { EXTRA: 'x y' } };
    expect(await output(hosts, 'first', ['sh', '-c', 'pwd; echo "$EXTRA"; cat'], input)).toBe('/usr\nx y\nfrom here');
  });

  test('an aborted exec leaves no process on the host', async () => {
    const controller = new AbortController();
    const running = hosts.exec('first', ['sleep', '98765'], { signal: controller.signal });
    const count = async (): Promise<string> =>
      output(hosts, 'first', ['sh', '-c', 'pgrep -fc "^sleep 98765$" || true']);
    await until(async () => (await count()).trim() === '1');
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'aborted' });
    await until(async () => (await count()).trim() === '0');
  });

  test('the system’s ssh gets in with sshArguments alone', async () => {
    const host = await hosts.get('first');
    const args = hosts.sshArguments(host, ['echo', "it's me"], { tty: false });
    expect(execFileSync('ssh', args, { env: { PATH: process.env.PATH } }).toString()).toBe("it's me\n");
  });

  test('files and folders go there and back', async () => {
    const folder = environment.keyDirectory();
    mkdirSync(join(folder, 'tree/sub'), { recursive: true });
    writeFileSync(join(folder, 'tree/sub/file'), 'content');
    await hosts.upload('first', join(folder, 'tree'), 'tree');
    await hosts.download('first', 'tree', join(folder, 'back'));
    expect(readFileSync(join(folder, 'back/sub/file'), 'utf8')).toBe('content');
  });

  test('the agent’s command runs in tmux with its exact arguments, and messages arrive exactly', async () => {
    const message = `-n "quoted" it's $(touch x) \\ ünïcode 😀\nsecond line; Enter\n${'x'.repeat(1800)}`;
    const next = 'y'.repeat(400);
    const length = Buffer.byteLength(`${message}\r${next}\r`);
    const script = `printf "<%s>" "$@" > args; stty -echo raw; echo ready > state; head -c ${length} > typed`;
    await hosts.create({ name: 'agent', command: ['sh', '-c', script, 'sh', "it's", '$HOME', '-x', 'a b'] });
    const read = (file: string): Promise<string> =>
      output(hosts, 'agent', ['sh', '-c', `cat "$MNGR_HOST_DIR/projects/agent/${file}" 2>/dev/null || true`]);
    await until(async () => (await read('state')) !== '');
    expect(await read('args')).toBe("<it's><$HOME><-x><a b>");

    await hosts.message('agent', message);
    await hosts.message('agent', next);
    await until(async () => (await read('typed')).length > 0);
    const typed = await read('typed');
    expect(typed).toBe(`${message}\r${next}\r`);
    await expect(hosts.message('agent', 'x', { agent: 'nobody' })).rejects.toMatchObject({
      code: 'not-found',
      hint: 'sessions there: mngr-agent',
    });
    await expect(hosts.message('first', 'x')).rejects.toMatchObject({ code: 'not-found' });
    await hosts.destroy('agent');
  });

  test('without public addresses a host is reached at its private one', async () => {
    const config = { ...environment.config, assign_public_ip: false };
    const inside = environment.hosts({ config });
    const host = await inside.create({ name: 'inside' });
    expect(host).toMatchObject({ ready: true, publicIp: null, privateIp: expect.stringMatching(/^\d+(\.\d+){3}$/) });
    await expect(inside.exec('inside', ['true'])).resolves.toEqual({ exitCode: 0, signal: null });
    await expect(inside.get('inside')).resolves.toMatchObject({ publicIp: null, address: host.address });
    await inside.destroy('inside');
  });

  test('a name is taken while its host lives, and free afterwards', async () => {
    await expect(hosts.create({ name: 'first' })).rejects.toMatchObject({ code: 'already-exists' });
    const one = await hosts.create({ name: 'again' });
    await expect(hosts.destroy('again')).resolves.toMatchObject({ hostId: one.hostId, wasRunning: true });
    const two = await hosts.create({ name: 'again' });
    expect(two.taskArn).not.toBe(one.taskArn);
    await hosts.destroy('again');
    const three = await hosts.create({ name: 'again' });
    expect(three.taskArn).not.toBe(two.taskArn);
    await hosts.destroy(three.hostId);
  });

  test('rename and tag change what every machine sees', async () => {
    await hosts.tag('first', { set: { team: 'b', extra: '1' } });
    await hosts.tag('first', { remove: ['extra', 'absent'] });
    await hosts.rename('first', 'renamed');
    const elsewhere = environment.hosts();
    await expect(elsewhere.get('renamed')).resolves.toMatchObject({
      name: 'renamed',
      tags: { team: 'b' },
      identityFile: null,
    });
    await expect(elsewhere.get('first')).rejects.toMatchObject({ code: 'not-found' });
    await expect(elsewhere.exec('renamed', ['true'])).rejects.toMatchObject({ code: 'denied' });
    await expect(hosts.tag('renamed', { set: { 'mngr-host-id': 'x' } })).rejects.toMatchObject({ code: 'usage' });
    await expect(hosts.create({ name: 'renamed' })).rejects.toMatchObject({ code: 'already-exists' });
    await hosts.rename('renamed', 'first');
  });

  test('logs are the container’s own output', async () => {
    const lines: string[] = [];
    for await (const { message } of hosts.logs('first', { tail: 100 })) lines.push(message);
    expect(lines.join('\n')).toMatch(/listening|ready|sshd/i);
  });

  test('idle time is read from the host', async () => {
    const host = await hosts.get('first');
    await expect(hosts.idleSeconds(host)).resolves.toBeGreaterThanOrEqual(0);
  });

  test('without waiting, the next command finishes the host', async () => {
    const host = await hosts.create({ name: 'later', wait: false, env: { LATE: 'yes' } });
    expect(host).toMatchObject({ ready: false });
    const another = environment.hosts({ keyDirectory });
    expect(await output(another, 'later', ['sh', '-c', 'echo "$LATE"'])).toBe('yes\n');
    await until(async () => (await hosts.get('later')).ready);
    await hosts.destroy('later');
  });

  test('destroy stops the task, forgets the keys, and can be repeated', async () => {
    const host = await hosts.get('first');
    await expect(hosts.destroy('first')).resolves.toMatchObject({ hostId: host.hostId, wasRunning: true });
    expect(existsSync(join(keyDirectory, 'hosts', host.hostId))).toBe(false);
    await expect(hosts.destroy('first')).resolves.toMatchObject({ wasRunning: false });
    await expect(hosts.destroy(host.hostId)).resolves.toMatchObject({ wasRunning: false });
    await expect(hosts.destroy('never')).rejects.toMatchObject({ code: 'not-found' });
    await until(async () => (await environment.running()).length === 0);
    const stopped = (await hosts.list({ stopped: true })).find(({ taskArn }) => taskArn === host.taskArn);
    expect(stopped).toMatchObject({ name: 'first', hostId: host.hostId, address: null, stopCode: 'UserInitiated' });
  });
});
