import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTaskDefinitionCommand, DescribeTasksCommand, ECSClient } from '@aws-sdk/client-ecs';
import { describe as describeEndpoint, down, status } from '../../../lib/local';
import { ROOT } from '../../support/run/paths';

const folder = mkdtempSync(join(tmpdir(), 'mngr-sandbox-serve-'));
const dataDirectory = join(folder, 'data');
const children: ChildProcess[] = [];
/** Four programs, one after another, each with the endpoint's start or end, and a synthesis. */
jest.setTimeout(400_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await down({ stateDirectory: join(dataDirectory, 'local') });
  rmSync(folder, { recursive: true, force: true });
});

interface Served {
  readonly line: Record<'url' | 'key' | 'dataDirectory', string> & { readonly pid: number };
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly errors: () => string;
}

/** The program of `npm run sandbox`, until it answers or ends. */
async function run(...args: string[]): Promise<Served> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'scripts/sandbox.ts'), ...args], {
    cwd: ROOT,
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|MNGR|SANDBOX)_/.test(name))),
      ...{ SANDBOX_DATA_DIRECTORY: dataDirectory, SANDBOX_RUNTIME: 'process' },
    },
  });
  children.push(child);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const text = new Promise<string>((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
  const first = await Promise.race([text, exit.then(() => '{}')]);
  return { line: JSON.parse(first) as Served['line'], child, exit, errors: () => errors };
}

const call = async ({ line }: Served, path: string, body?: object) => {
  const answer = await fetch(line.url + path, {
    headers: { 'x-sandbox-secret': line.key, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, unknown>;
};

/** The role in the task, and that of its task definition: with either, code in the task has credentials. */
async function rolesOf(taskArn: string): Promise<(string | undefined)[]> {
  const { endpoint, region, env } = await describeEndpoint({ stateDirectory: join(dataDirectory, 'local') });
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  const ecs = new ECSClient({ endpoint, region, credentials });
  try {
    const cluster = taskArn.split('/')[1];
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
    const { taskDefinitionArn, overrides } = tasks?.[0] ?? {};
    const command = new DescribeTaskDefinitionCommand({ taskDefinition: taskDefinitionArn });
    const { taskDefinition } = await ecs.send(command);
    expect(taskDefinition?.family).toBe('mngr-sandbox');
    return [overrides?.taskRoleArn, taskDefinition?.taskRoleArn];
  } finally {
    ecs.destroy();
  }
}

it('serves with nothing configured, ends on SIGTERM, goes on after a restart, and takes everything down when told', async () => {
  const first = await run('--json');
  const { key, pid } = first.line;
  expect(first.line).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), key, pid, dataDirectory });
  expect(await call(first, '/health')).toEqual({ status: 'ok' });
  for (const name of ['key', 'secret', 'sandbox.db', 'service.json'])
    expect(statSync(join(dataDirectory, name)).mode & 0o077).toBe(0);
  expect(await call(first, '/sandbox', { id: 'box' })).toMatchObject({ id: 'box', status: 'active' });
  expect(await call(first, '/sandbox/box/exec', { cmd: 'X=kept; echo $X', sync: true })).toMatchObject({
    result: { stdout: 'kept\n' },
  });
  const { task_arn } = await call(first, '/sandbox/box/diagnostics');
  expect(task_arn).toMatch(/:task\/mngr-sandbox\//);
  expect(await rolesOf(String(task_arn))).toEqual([undefined, undefined]);

  const second = await run('--json');
  expect(await second.exit).toBe(1);
  expect(second.errors()).toContain('another process has it open');

  process.kill(pid, 'SIGTERM');
  expect(await first.exit).toBe(0);
  expect(existsSync(join(dataDirectory, 'service.json'))).toBe(false);

  const third = await run('--json', '--down');
  expect(third.line.key).toBe(key);
  expect([first.errors(), third.errors()].map((text) => text.includes('synthesizing'))).toEqual([true, false]);
  expect(await call(third, '/sandbox/box/exec', { cmd: 'echo $X', sync: true })).toMatchObject({
    seq: 2,
    result: { stdout: 'kept\n' },
  });
  expect(await status({ stateDirectory: join(dataDirectory, 'local') })).toMatchObject({ tasks: { RUNNING: 1 } });
  process.kill(third.line.pid, 'SIGINT');
  expect(await third.exit).toBe(0);
  expect(await status({ stateDirectory: join(dataDirectory, 'local') })).toMatchObject({ running: false });
});

it('says what is wrong with an option', async () => {
  const served = await run('--port', 'many');
  expect(await served.exit).toBe(2);
  expect(served.errors()).toContain('--port is "many": use 0 to 65535');
});
