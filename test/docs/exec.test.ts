import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeTaskDefinitionCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { CliHome } from '../support/cli/cli-program';
import type { CliRun } from '../support/cli/cli-program';
import { runInTerminal, terminal } from '../support/cli/cli-terminal';
import { execAssembly, ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { until } from '../support/run/eventually';
import { ROOT } from '../support/run/paths';
import { describeWith } from '../support/run/requirements';

const page = readFileSync(join(ROOT, 'docs/exec.md'), 'utf8');
const REGION = 'us-west-2';
const ACCOUNT = '123456789012';
const EXAMPLE_TASK = '0123456789abcdef0123456789abcdef';
const PRODUCTION = 'coder-production-cluster';

/** Commands of the page that need more than any ECS task, and the tests that run them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'mngr-fargate config ssh': 'test/cli/config-ssh.test.ts',
  'mngr-fargate shell': 'test/cli/terminal.test.ts',
  'mngr-fargate shell --cluster shop --service web --image public.ecr.aws/docker/library/postgres:17 -- psql':
    'test/cli/shell.test.ts',
};

const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block = '']) => block.split('\n'))
  .filter((line) => line.startsWith('mngr-fargate '))
  .map((line) => line.replace(/\s+#.*$/, ''));

/** The block that shows a command with what it prints. */
function shown(command: string): { readonly command: string; readonly output: string } {
  const blocks = [...page.matchAll(/^```console\n\$ ([^\n]*)\n(.*?)^```$/gms)];
  const [, line = '', output = ''] = blocks.find(([, text]) => text?.startsWith(command)) ?? [];
  return { command: line, output };
}

/** As a shell splits it. */
const wordsOf = (command: string): string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(1, -1);

describeWith([...processTasks, terminal], 'the commands of docs/exec.md', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;
  let app: string;
  let webTask: string;
  let imported: string;

  beforeAll(async () => {
    local = await ExecEndpoint.start(execAssembly(), { region: REGION, accountId: ACCOUNT });
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
    // In tasks, /tmp is their own.
    app = mkdtempSync('/var/tmp/mngr-app-');
    chmodSync(app, 0o755);
    writeFileSync(join(app, 'manage.py'), '#!/bin/sh\necho "migrated $1"\n');
    chmodSync(join(app, 'manage.py'), 0o755);
    writeFileSync(home.path('config.json'), '{}\n');
    for (const clusterName of [PRODUCTION, 'shop']) {
      await local.ecs.send(new CreateClusterCommand({ clusterName }));
    }
    // A database client with an exit code of its own, no bash, and a container beside.
    const pgIsReady = `printf '#!/bin/sh\\necho "$2:5432 - no response"\\nexit 2\\n' >/usr/bin/pg_isready; chmod +x /usr/bin/pg_isready`;
    const web = `rm -f /bin/bash /usr/bin/bash; mkdir -p /app; ${pgIsReady}; echo started`;
    await serve('shop', 'web', [container('web', web, app), container('proxy', 'echo started')]);
    await serve(PRODUCTION, 'coder-production-clickhouse', [container('clickhouse', 'echo started')]);
    const coder = 'mkdir -p /var/log/coder; echo line >/var/log/coder/coder.log; echo "ERROR none yet"';
    await serve(PRODUCTION, 'coder-production-coder', [container('coder', coder)]);
    await serve(PRODUCTION, 'coder-production-litellm', [container('litellm', 'echo started')], false);
    webTask = await running('shop', 'web');
    await running(PRODUCTION, 'coder-production-litellm');
    // Its successor is that of which the page speaks; this one is the previous.
    const task = await running(PRODUCTION, 'coder-production-coder');
    await local.ecs.send(new StopTaskCommand({ cluster: PRODUCTION, task }));
    await running(PRODUCTION, 'coder-production-coder', task);
    imported = (await home.run(wordsOf(shown('mngr-fargate targets import').command))).stdout;
  }, 240_000);
  afterAll(async () => {
    bare.remove();
    rmSync(app, { recursive: true });
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const container = (name: string, script: string, workingDirectory?: string): ContainerDefinition => ({
    name,
    image: 'repository/image:abc123',
    entryPoint: ['/bin/sh', '-c'],
    command: [`${script}; exec sleep infinity`],
    workingDirectory,
    logConfiguration: {
      logDriver: 'awslogs',
      options: { 'awslogs-group': '/mngr/test', 'awslogs-region': REGION, 'awslogs-stream-prefix': name },
    },
  });

  async function serve(
    cluster: string,
    service: string,
    containers: ContainerDefinition[],
    exec = true,
  ): Promise<void> {
    const ours = new DescribeTaskDefinitionCommand({ taskDefinition: 'mngr-task' });
    const { taskRoleArn, executionRoleArn } = (await local.ecs.send(ours)).taskDefinition ?? {};
    await local.ecs.send(
      new RegisterTaskDefinitionCommand({
        family: service,
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '1024',
        memory: '2048',
        taskRoleArn,
        executionRoleArn,
        containerDefinitions: containers,
      }),
    );
    await local.ecs.send(
      new CreateServiceCommand({
        cluster,
        serviceName: service,
        taskDefinition: service,
        desiredCount: 1,
        launchType: 'FARGATE',
        enableExecuteCommand: exec,
        networkConfiguration: {
          awsvpcConfiguration: { subnets: local.endpoint.description.outputs.Subnets?.split(',') },
        },
      }),
    );
  }

  /** The service's task once it runs; not the one that is named. */
  const running = (cluster: string, service: string, not = ''): Promise<string> =>
    until(async () => {
      const { taskArns = [] } = await local.ecs.send(new ListTasksCommand({ cluster, serviceName: service }));
      const arn = taskArns.find((one) => one !== not);
      const task = arn === undefined ? undefined : await local.describeIn(cluster, arn);
      return task?.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING' && arn;
    });

  /** A real task, files of this test, and free ports. */
  const wordsHere = (command: string): string[] =>
    wordsOf(command).map((word) =>
      word
        .replace(EXAMPLE_TASK, webTask.split('/').at(-1) ?? '')
        .replace(/^\.\/(?=logs$|config)/, `${home.path()}/`)
        .replace(/^\d+(?=:|$)/, (port, _offset, whole: string) => (whole === port || whole.includes(':') ? '0' : port)),
    );

  /** Runs what ends only with Ctrl-C until it has printed something. */
  const untilPrinted = (words: readonly string[]): Promise<CliRun> =>
    home.run(words, {
      onStart: async ({ kill, onStdout }) => {
        await onStdout(/\S/);
        kill('SIGINT');
      },
    });

  const exitCodeOf = async (command: string): Promise<number | null> => {
    const words = wordsHere(command);
    if (/--follow|--watch|^mngr-fargate forward/.test(command)) return (await untilPrinted(words)).exitCode;
    const isShell = /^mngr-fargate (?:connect|shell (?!.* -- ))/.test(command);
    if (!isShell) return (await home.run(words)).exitCode;
    return (await runInTerminal(home, words, [{ expect: '[#$] ', send: 'exit\r' }])).exitCode;
  };

  const expectedOf = (command: string): number =>
    /--follow|--watch|^mngr-fargate forward/.test(command) ? 130 : command.includes('pg_isready') ? 2 : 0;

  it.each(commands.filter((command) => !(command in ELSEWHERE)))('%s', async (command) => {
    expect(await exitCodeOf(command)).toBe(expectedOf(command));
  });

  it('make a target of each service', () => {
    expect(imported).toBe(shown('mngr-fargate targets import').output);
  });

  it('have left what they say', async () => {
    expect(readFileSync(home.path('logs', 'coder.log'), 'utf8')).toBe('line\n');
    const { stdout } = await home.run([
      'exec',
      '--cluster',
      'shop',
      '--service',
      'web',
      '--',
      'cat',
      '/app/config.json',
    ]);
    expect(stdout).toBe('{}\n');
  });

  it('explain why ECS Exec does not work', async () => {
    const { command, output } = shown('mngr-fargate doctor');
    const { stdout, exitCode } = await home.run(wordsOf(command));
    expect(exitCode).toBe(1);
    const [, ...finding] = output.trimEnd().split('\n');
    expect(stdout).toContain(finding.join('\n'));
  });

  it('are run elsewhere where they need more', () => {
    for (const [command, file] of Object.entries(ELSEWHERE)) {
      expect(commands).toContain(command);
      expect(existsSync(join(ROOT, file))).toBe(true);
    }
  });
});
