import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '@aws-sdk/client-ecs';
import { CliHome } from '../support/cli/cli-program';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { until } from '../support/run/eventually';
import { describeWith } from '../support/run/requirements';

describeWith(processTasks, 'cp with a task', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;
  let task: Task;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-cp-'));
    local = await ExecEndpoint.start();
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
    task = await local.runTask();
    const target = ['targets', 'set', 'work', '--task', task.taskArn ?? '', '--container', 'agent'];
    expect((await home.run(target)).exitCode).toBe(0);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  it('brings a folder there and back, by the name of a target', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'sub'), { recursive: true });
    const bytes = randomBytes(200_000);
    writeFileSync(join(tree, 'sub/bytes'), bytes, { mode: 0o600 });
    writeFileSync(join(tree, 'sub/it is\nodd'), 'odd', { mode: 0o755 });

    const up = await home.run(['cp', tree, '@work:/tmp/tree', '--json']);
    expect(up.exitCode).toBe(0);
    expect(JSON.parse(up.stdout)).toEqual({ source: tree, destination: '@work:/tmp/tree', skipped: [] });
    const there = await home.run(['exec', '@work', '--', 'stat', '-c', '%a %s', '/tmp/tree/sub/bytes']);
    expect(there.stdout).toBe('600 200000\n');
    expect((await home.run(['cp', '@work:/tmp/tree', join(folder, 'back')])).exitCode).toBe(0);
    expect(readFileSync(join(folder, 'back/sub/bytes')).equals(bytes)).toBe(true);
    expect(statSync(join(folder, 'back/sub/it is\nodd')).mode & 0o777).toBe(0o755);
  });

  it('takes the task of the options, with the path after a colon', async () => {
    const options = ['--task', task.taskArn ?? '', '--container', 'agent'];
    const { exitCode } = await home.run(['cp', ...options, ':/proc/sys/kernel/ostype', join(folder, 'name')]);
    expect(exitCode).toBe(0);
    expect(readFileSync(join(folder, 'name'), 'utf8')).toBe('Linux\n');
  });

  it.each([
    [['cp', '@work:/no/such', '.'], 3, 'there is no "/no/such" in the container'],
    [['cp', '@nobody:/x', '.'], 3, 'nobody'],
    [['cp', ':/x', '.'], 2, 'the target is missing'],
    [['cp', 'a', 'b'], 2, 'one end on a host or in a task'],
    [['cp', 'fox:/x', '.', '--task', 'abc'], 2, 'name two targets'],
    [['cp', 'fox:/x', '.', '--container', 'web'], 2, 'cp to or from a host takes no --container'],
  ])('%j says what is wrong', async (words, exitCode, text) => {
    const result = await home.run(words);
    expect(result.stderr).toContain(text);
    expect(result.exitCode).toBe(exitCode);
  });

  it('ends when it is interrupted, here and there', async () => {
    writeFileSync(join(folder, 'large'), randomBytes(30_000_000));
    const mark = ['exec', '@work', '--', 'sh', '-c', 'ls -A /tmp/half | grep -c mngr-fargate'];
    expect((await home.run(['exec', '@work', '--', 'mkdir', '/tmp/half'])).exitCode).toBe(0);
    const halfThere = async (): Promise<string> => (await home.run(mark)).stdout.trim();
    const { exitCode } = await home.run(['cp', join(folder, 'large'), '@work:/tmp/half/large'], {
      onStart: async ({ kill }) => {
        await until(async () => (await halfThere()) === '1');
        kill('SIGINT');
      },
    });
    expect(exitCode).toBe(130);
    await until(async () => (await halfThere()) === '0');
    expect((await home.run(['exec', '@work', '--', 'ls', '-A', '/tmp/half'])).stdout).toBe('');
  });
});
