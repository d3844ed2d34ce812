import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newHostId } from '../../lib/contract/host-name';
import type { Host } from '../../lib/hosts/model/types';
import { CLI_WORDS } from '../support/cli/cli-program';
import { CliLocal, START_UP, localHosts } from '../support/cli/cli-local';
import { describeWith } from '../support/run/requirements';

describeWith(localHosts, 'hosts by the real program, at the local endpoint', () => {
  let local: CliLocal;
  let fox: Host;
  beforeAll(async () => {
    local = await CliLocal.start({ synthesizes: true });
    fox = await local.home.json<Host>([
      'create',
      'fox',
      '--tag',
      'team=a b',
      '--env',
      'GREETING=hi there',
      '--',
      'cat',
    ]);
  }, START_UP);
  afterAll(() => local.stop());

  const exec = (script: string, input?: string): ReturnType<CliLocal['home']['run']> =>
    local.home.run(['exec', 'fox', '--', 'sh', '-c', script], { input });

  test('create works with nothing configured and prints the host', () => {
    expect(fox).toMatchObject({
      name: 'fox',
      state: 'RUNNING',
      ready: true,
      hostId: expect.stringMatching(/^host-[0-9a-f]{32}$/) as string,
      taskArn: expect.stringMatching(/^arn:aws:ecs:/) as string,
      address: { host: expect.any(String) as string, port: expect.any(Number) as number, user: 'root' },
      tags: { team: 'a b' },
    });
    for (const file of [fox.identityFile, fox.knownHostsFile]) expect(existsSync(file ?? '')).toBe(true);
  });

  test('the same name again already exists', async () => {
    const { exitCode, stdout } = await local.home.run(['create', 'fox', '--json']);
    expect(exitCode).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'already-exists' } });
  });

  test('exec: both outputs apart, stdin, the exit code, the arguments as they are', async () => {
    await expect(exec('cat; echo to-stderr >&2; exit 42', 'to-stdout')).resolves.toEqual({
      exitCode: 42,
      stdout: 'to-stdout',
      stderr: 'to-stderr\n',
    });
    const odd = ['a b', "it's", '$HOME', '"', '\\', 'ü', '', '--json', '*'];
    const { stdout } = await local.home.run(['exec', 'fox', '--', 'printf', '[%s]', ...odd]);
    expect(stdout).toBe(odd.map((word) => `[${word}]`).join(''));
  });

  test('exec --json, --env and --workdir', async () => {
    const words = [
      'exec',
      'fox',
      '--env',
      'X=1 2',
      '--workdir',
      '/tmp',
      '--',
      'sh',
      '-c',
      'echo "$X $PWD"; kill -9 $$',
    ];
    const { exitCode, stdout } = await local.home.run(['--json', ...words]);
    expect(exitCode).toBe(137);
    expect(JSON.parse(stdout)).toEqual({ exitCode: null, signal: 'KILL', stdout: '1 2 /tmp\n', stderr: '' });
  });

  test('exec on a host that is not there', async () => {
    const { exitCode, stderr } = await local.home.run(['exec', 'nobody', '--', 'true']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^mngr-fargate: .*nobody/);
  });

  test('list, as table and as JSON', async () => {
    const table = await local.home.run(['list']);
    expect(table.stdout).toMatch(
      /^NAME +STATE +AGE +IDLE +SIZE +COST +ADDRESS\nfox +RUNNING +\S+ +\d+s +1 vCPU, 4 GB +\$0\.\d+ +\S+\n$/,
    );
    await expect(local.home.json<Host[]>(['list'])).resolves.toEqual([
      expect.objectContaining({
        hostId: fox.hostId,
        name: 'fox',
        taskArn: fox.taskArn,
        address: fox.address,
        createdAt: fox.createdAt,
        idleSeconds: null,
      }),
    ]);
    await expect(local.home.json(['list', '--tag', 'team=other'])).resolves.toEqual([]);
  });

  test('show, by name, id and ARN', async () => {
    const { stdout } = await local.home.run(['show', 'fox']);
    expect(stdout).toContain(fox.hostId);
    for (const reference of [fox.hostId, fox.taskArn]) {
      await expect(local.home.json<Host>(['show', reference])).resolves.toMatchObject({ name: 'fox' });
    }
  });

  test('message types exactly what it is given, and Enter', async () => {
    const text = `-n "it's" $HOME \`x\` ü ; \\ {a}`;
    const sent = await local.home.run(['message', 'fox', '--', text]);
    expect(sent).toMatchObject({ exitCode: 0, stderr: '' });
    await local.home.run(['message', 'fox', '-'], { input: 'from stdin\n' });
    // cat in the session repeats each line that was entered.
    const screen = await exec(
      `for i in 1 2 3 4 5 6 7 8 9 10; do tmux capture-pane -p -J -t =mngr-fox: > /tmp/screen-fox; [ "$(grep -c stdin /tmp/screen-fox)" = 2 ] && break; sleep 0.2; done; cat /tmp/screen-fox; rm /tmp/screen-fox`,
    );
    expect(screen.stdout.split('\n').filter((line) => line === text)).toHaveLength(2);
    expect(screen.stdout.split('\n').filter((line) => line === 'from stdin')).toHaveLength(2);
  });

  test('a message to an agent that is not there', async () => {
    const { exitCode } = await local.home.run(['message', 'fox', 'x', '--agent', 'nobody']);
    expect(exitCode).toBe(3);
  });

  test('cp there and back, a file and a folder', async () => {
    const folder = local.home.path('tree');
    mkdirSync(`${folder}/in/side`, { recursive: true });
    writeFileSync(`${folder}/in/side/ü file`, 'content\0\n');
    const remote = (await exec('mktemp -d')).stdout.trim();
    const copied = await local.home.json(['cp', folder, `fox:${remote}/tree`]);
    expect(copied).toEqual({ source: folder, destination: `fox:${remote}/tree`, skipped: [] });
    const back = local.home.path('back');
    // A copy that takes more than two seconds shows its progress on stderr.
    expect(await local.home.run(['cp', `fox:${remote}/tree`, back])).toMatchObject({ exitCode: 0, stdout: '' });
    expect(readFileSync(`${back}/in/side/ü file`, 'utf8')).toBe('content\0\n');
    await exec(`rm -r '${remote}'`);
  });

  test('logs', async () => {
    const { exitCode, stdout } = await local.home.run(['logs', 'fox', '--tail', '5']);
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(5);
    const first = (await local.home.run(['logs', 'fox', '--json'])).stdout.split('\n')[0] ?? '';
    expect(JSON.parse(first)).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-/) as string,
      message: expect.any(String) as string,
      task: fox.taskArn.split('/').pop(),
      container: 'agent',
    });
  });

  test('logs --follow continues until Ctrl-C', async () => {
    const { exitCode, stdout, stderr } = await local.home.run(['logs', 'fox', '--follow', '--timestamps'], {
      onStart: async ({ kill, onStdout }) => {
        await onStdout(/is starting sshd/);
        kill('SIGINT');
      },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: '' });
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z mngr: .*is starting sshd/m);
  });

  test('tag and rename', async () => {
    const tagged = await local.home.run(['tag', 'fox', 'stage=dev', 'team-']);
    expect(tagged).toEqual({ exitCode: 0, stdout: 'stage  dev\n', stderr: '' });
    await expect(local.home.json<Host>(['rename', 'fox', 'vixen'])).resolves.toMatchObject({
      name: 'vixen',
      hostId: fox.hostId,
    });
    await local.home.run(['rename', 'vixen', 'fox']);
  });

  test('connect --json prints the ssh command, with the pinned key', async () => {
    const { command, arguments: words } = await local.home.json<{ command: string; arguments: string[] }>([
      'connect',
      'fox',
      '--',
      'true',
    ]);
    expect(command).toBe('ssh');
    expect(words.join(' ')).toContain(fox.identityFile ?? 'no identity');
    expect(words.join(' ')).toContain(fox.knownHostsFile ?? 'no known hosts');
  });

  test('connect finishes a host that was created without waiting', async () => {
    const { hostId } = await local.home.json<Host>(['create', 'hare', '--no-wait']);
    const { command, arguments: words } = await local.home.json<{ command: string; arguments: string[] }>([
      ...['connect', 'hare', '--', 'cat', '/etc/hostname'],
    ]);
    expect(spawnSync(command, words, { env: local.home.env(), encoding: 'utf8' })).toMatchObject({ status: 0 });
    await expect(local.home.json(['show', 'hare'])).resolves.toMatchObject({ hostId, ready: true });
    await local.home.run(['destroy', 'hare', '--yes']);
  });

  test('several names at once, one of them taken', async () => {
    const { exitCode, stdout, stderr } = await local.home.run([
      'create',
      'owl',
      'fox',
      'elk',
      '--cpu',
      '.25vcpu',
      '--memory',
      '512',
      '--json',
    ]);
    expect(exitCode).toBe(4);
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ name: 'owl', cpu: 256, memory: 512 }),
      { name: 'fox', error: expect.objectContaining({ code: 'already-exists' }) as object },
      expect.objectContaining({ name: 'elk', ready: true }),
    ]);
    expect(stderr).toMatch(/^ +\d+\.\ds {2}owl: /m);
    expect(stderr).not.toContain('\u001b');
  });

  test('an impossible size is refused before anything is launched', async () => {
    const { exitCode, stderr } = await local.home.run(['create', 'ant', '--cpu', '256', '--memory', '8GB']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('memory 8192 MiB does not go with cpu 256');
  });

  test('SIGINT while creating stops what was started', async () => {
    await local.control('PUT', 'delays', { pending: 60_000 });
    const run = await local.home.run(['create', 'gnu'], {
      onStart: async ({ kill, onStderr }) => {
        await onStderr(/gnu: (?:PROVISIONING|PENDING)/);
        kill('SIGINT');
      },
    });
    await local.control('PUT', 'delays', {});
    expect(run.exitCode).toBe(130);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain('stopping what was started');
    const left = await local.home.json<Host[]>(['list', '--stopped']);
    expect(left.filter(({ name, state }) => name === 'gnu' && !/STOP|DE/.test(state))).toEqual([]);
  });

  test('a task that stops on its own: what ECS said, and exit code 9', async () => {
    const { exitCode, stdout } = await local.home.run(['create', 'bee', '--image', 'nowhere.invalid/none:1', '--json']);
    expect([6, 9]).toContain(exitCode);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'task-stopped', details: { stoppedReason: expect.any(String) as string } },
    });
  });

  test('a time limit that passes: exit code 7, and nothing left running', async () => {
    await local.control('PUT', 'delays', { pending: 60_000 });
    const { exitCode } = await local.home.run(['create', 'yak', '--timeout', '1s']);
    await local.control('PUT', 'delays', {});
    expect(exitCode).toBe(7);
    await expect(local.home.json<Host[]>(['list'])).resolves.not.toContainEqual(
      expect.objectContaining({ name: 'yak', state: 'RUNNING' }),
    );
  });

  test('a reader that goes away is not an error', () => {
    const script = '"$0" "$@" | head -n 1; echo "${PIPESTATUS[0]}"';
    const words = [...CLI_WORDS, 'exec', 'fox', '--', 'yes'];
    const run = spawnSync('bash', ['-c', script, process.execPath, ...words], {
      env: local.home.env(),
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ stdout: 'y\n141\n', stderr: '' });
  });

  test('destroy wants --yes where there is no terminal, and is idempotent', async () => {
    const asked = await local.home.run(['destroy', 'owl']);
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain('--yes');
    const destroyed = await local.home.json(['destroy', 'owl', '--yes']);
    expect(destroyed).toEqual([expect.objectContaining({ name: 'owl', wasRunning: true })]);
    const again = await local.home.run(['destroy', 'owl', '--yes']);
    expect(again).toMatchObject({ exitCode: 0, stdout: 'owl: had stopped already\n' });
    expect((await local.home.run(['destroy', 'nobody', '--yes'])).exitCode).toBe(3);
  });

  test('config write from the deployed stack; the block then serves', async () => {
    const written = await local.home.json<{ file: string }>(['config', 'write', '--provider-name', 'team']);
    expect(readFileSync(written.file, 'utf8')).toContain('[providers.team]\nbackend = "fargate"\n');
    await expect(local.home.json(['--provider', 'team', 'list'])).resolves.toEqual([]);
  });

  test('destroy --all leaves nothing', async () => {
    const { exitCode } = await local.home.run(['destroy', '--all', '--yes']);
    expect(exitCode).toBe(0);
    await expect(local.home.run(['list'])).resolves.toEqual({ exitCode: 0, stdout: 'no hosts\n', stderr: '' });
    expect(existsSync(fox.identityFile ?? '')).toBe(false);
  });

  test('local down removes the keys of its own hosts, and no others', async () => {
    const gone = await local.home.json<Host>(['create', 'last', '--no-wait']);
    const folder = dirname(gone.identityFile ?? '');
    const other = newHostId();
    const otherFolder = join(dirname(folder), other);
    mkdirSync(otherFolder);
    const record = JSON.parse(readFileSync(join(folder, 'host.json'), 'utf8')) as object;
    const taskArn = gone.taskArn.replace(/[0-9a-f]{32}$/, other.slice('host-'.length));
    writeFileSync(join(otherFolder, 'host.json'), JSON.stringify({ ...record, hostId: other, taskArn }));

    await expect(local.home.json(['local', 'down'])).resolves.toEqual({ wasRunning: true });
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(otherFolder)).toBe(true);
  });
});
