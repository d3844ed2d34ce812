import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTasksCommand, ECSClient, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import type { ContainerDefinition, Task } from '@aws-sdk/client-ecs';
import { ProcessRuntime } from '../../../../lib/local/runtimes/process';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import { separateFileSystems } from '../../../support/endpoint/namespaces';
import { describeWith, program } from '../../../support/run/requirements';
import { eventually } from '../../../support/run/eventually';

describeWith(
  [...['sshd', 'ssh-keygen', 'openssl'].map(program), separateFileSystems],
  'containers as processes',
  () => {
    let folder: string;
    let local: LocalEndpoint<ProcessRuntime>;
    let ecs: ECSClient;
    let logs: CloudWatchLogsClient;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'mngr-c-'));
      const path = join(folder, 'image');
      mkdirSync(path);
      writeFileSync(join(path, 'entrypoint.sh'), '');
      const runtime = await ProcessRuntime.create({ stateDirectory: join(folder, 'state'), endpointId: 'containers' });
      local = await startLocalEndpoint({ runtime, images: new Map([['shell', { type: 'folder', path }]]) });
      ecs = new ECSClient(local.client);
      logs = new CloudWatchLogsClient(local.client);
    });

    afterAll(async () => {
      ecs.destroy();
      logs.destroy();
      await local.destroy();
      rmSync(folder, { recursive: true, force: true });
      expect(local.faults).toEqual([]);
    });

    const shell = (name: string, script: string, change: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
      name,
      image: 'images:shell',
      entryPoint: ['/bin/bash', '-c'],
      command: [script],
      logConfiguration: {
        logDriver: 'awslogs',
        options: { 'awslogs-group': '/mngr/test', 'awslogs-region': local.region, 'awslogs-stream-prefix': 'several' },
      },
      ...change,
    });

    const run = async (containerDefinitions: ContainerDefinition[]): Promise<Task> => {
      await ecs.send(
        new RegisterTaskDefinitionCommand({
          family: 'several',
          networkMode: 'awsvpc',
          requiresCompatibilities: ['FARGATE'],
          cpu: '256',
          memory: '512',
          containerDefinitions,
        }),
      );
      const { tasks } = await ecs.send(
        new RunTaskCommand({
          cluster: 'mngr',
          taskDefinition: 'several',
          launchType: 'FARGATE',
          networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
        }),
      );
      return tasks?.[0] as Task;
    };

    const reach = (task: Task, state: object): Promise<Task> =>
      eventually(async () => {
        const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: 'mngr', tasks: [task.taskArn ?? ''] }));
        expect(tasks?.[0]).toMatchObject(state);
        return tasks?.[0] as Task;
      });

    const idOf = ({ taskArn = '' }: Task): string => taskArn.split('/').at(-1) ?? '';

    const logOf = async (task: Task, container: string): Promise<string[]> => {
      const { events } = await logs.send(
        new GetLogEventsCommand({ logGroupName: '/mngr/test', logStreamName: `several/${container}/${idOf(task)}` }),
      );
      return (events ?? []).map(({ message }) => message ?? '');
    };

    it('reach each other over their network, keep their files, logs and exit codes apart, and end together', async () => {
      // The server says that it listens in a file that only it has; the other is let in by the check of its health.
      const server = `
      echo server > /tmp/who
      python3 -u -c "
import socket
s = socket.create_server(('127.0.0.1', 0))
open('/tmp/port', 'w').write(str(s.getsockname()[1]))
while True: s.accept()[0].sendall(b'hello')"`;
      const task = await run([
        shell('client', 'trap "exit 9" TERM; echo client > /tmp/who; echo from client; sleep infinity & wait', {
          dependsOn: [{ containerName: 'server', condition: 'HEALTHY' }],
        }),
        shell('server', server, {
          essential: true,
          healthCheck: { command: ['CMD-SHELL', 'test -s /tmp/port'], interval: 5, retries: 10 },
        }),
        shell('migration', 'echo from migration; exit 7', { essential: false }),
      ]);
      const running = await reach(task, { lastStatus: 'RUNNING', healthStatus: 'HEALTHY' });
      expect(running.containers).toMatchObject([
        { name: 'client', lastStatus: 'RUNNING' },
        { name: 'server', lastStatus: 'RUNNING', healthStatus: 'HEALTHY' },
        { name: 'migration', lastStatus: 'STOPPED', exitCode: 7 },
      ]);
      const output = async (container: string, ...argv: string[]): Promise<string> => {
        const process = await local.runtime.exec(container, { argv });
        process.stdin.end();
        process.stderr?.resume();
        return (await text(process.stdout)).trim();
      };
      const [client, other] = [idOf(task), `1-${idOf(task)}`];
      expect(await output(client, 'cat', '/tmp/who')).toBe('client');
      expect(await output(other, 'cat', '/tmp/who')).toBe('server');
      const port = await output(other, 'cat', '/tmp/port');
      expect(await output(client, 'bash', '-c', `head -c 5 < /dev/tcp/127.0.0.1/${port}`)).toBe('hello');
      expect(await logOf(task, 'client')).toEqual(['from client']);
      expect(await logOf(task, 'migration')).toEqual(['from migration']);

      await local.runtime.kill(other);
      const stopped = await reach(task, { lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' });
      expect(stopped.containers).toMatchObject([{ exitCode: 9 }, { exitCode: 137 }, { exitCode: 7 }]);
      expect(await local.runtime.running()).toEqual([]);
    });
  },
);
