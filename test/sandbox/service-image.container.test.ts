import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DescribeServicesCommand, DescribeTasksCommand, ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { DEFAULT_STACK_NAME } from '../../lib/contract/outputs';
import { SANDBOX_OUTPUTS, SANDBOX_SERVICE_OUTPUTS } from '../../lib/contract/sandbox-outputs';
import { ContainerRuntime, findEngine } from '../../lib/local/runtimes';
import { cachedAssembly, WITH_SANDBOXES } from '../support/cdk/assembly-cache';
import { startLocalEndpoint } from '../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import { eventually } from '../support/run/eventually';
import { containerEngine, describeWith } from '../support/run/requirements';
import { buildServiceImages, SERVICE_IMAGES } from '../support/sandbox/service-image';

const CONTEXT = {
  ...WITH_SANDBOXES,
  sandboxImage: 'sandboxes.invalid/not-built:here',
  sandboxCertificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/01234567-89ab-cdef-0123-456789abcdef',
  sandboxCidr: '203.0.113.0/24',
  sandboxServiceImage: SERVICE_IMAGES[0],
} as const;

/** Asks the service as its load balancer does, and for what only a key may see. */
const ASK = `
  const ask = (path) => fetch('http://127.0.0.1:8080' + path, { headers: { 'x-sandbox-secret': process.env.SANDBOX_SECRET } });
  Promise.all(['/health', '/keys'].map(async (path) => (await ask(path)).json()))
    .then((answers) => console.log(JSON.stringify(answers)), (error) => console.log(JSON.stringify(String(error.cause))));
`;

/**
 * The service's task as the template has it. Only its load balancer, which the local endpoint hasn't, and its calls of AWS
 * are left out: the endpoint gives a task no credentials.
 */
describeWith(containerEngine, "the stack's service in a container of its image", () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-sandbox-service-'));
  const assemblyDirectory = join(folder, 'cdk.out');
  let runtime: ContainerRuntime;
  let local: LocalEndpoint<ContainerRuntime>;
  let ecs: ECSClient;

  const start = async (): Promise<void> => {
    local = await startLocalEndpoint({ runtime, assemblyDirectory, stateDirectory: join(folder, 'state') });
    ecs = new ECSClient(local.client);
  };

  beforeAll(async () => {
    await buildServiceImages();
    cpSync(await cachedAssembly(CONTEXT), assemblyDirectory, { recursive: true });
    const engine = await findEngine();
    if (engine === undefined) throw new Error('docker answers, but no engine was found');
    runtime = new ContainerRuntime(engine, { stateDirectory: folder, endpointId: `service-${process.pid}` });
    await start();
  }, 600_000);

  afterAll(async () => {
    ecs?.destroy();
    await local?.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  const tasks = async (desiredStatus: 'RUNNING' | 'STOPPED'): Promise<Task[]> => {
    const cluster = local.outputs[SANDBOX_OUTPUTS.ecsCluster];
    const serviceName = local.outputs[SANDBOX_SERVICE_OUTPUTS.serviceName];
    const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster, serviceName, desiredStatus }));
    if (taskArns.length === 0) return [];
    return (await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }))).tasks ?? [];
  };

  /** The service's one task, once a deployment is through. */
  const steadyTask = (): Promise<Task> =>
    eventually(async () => {
      const cluster = local.outputs[SANDBOX_OUTPUTS.ecsCluster];
      const services = [local.outputs[SANDBOX_SERVICE_OUTPUTS.serviceName] ?? ''];
      const { services: [service] = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services }));
      expect(service?.deployments).toMatchObject([{ rolloutState: 'COMPLETED', runningCount: 1 }]);
      const running = await tasks('RUNNING');
      expect(running).toHaveLength(1);
      return running[0] as Task;
    });

  const answers = ({ taskArn = '' }: Task): Promise<unknown> =>
    eventually(async () => {
      const { stdin, stdout } = await runtime.exec(taskArn.split('/').at(-1) ?? '', { argv: ['node', '-e', ASK] });
      stdin.end();
      const answer = JSON.parse(await text(stdout)) as unknown;
      expect(answer).toMatchObject([{ status: 'ok' }, {}]);
      return answer;
    });

  it('answers, and keeps its state when a deployment stops the old task and then starts the new one', async () => {
    const before = await steadyTask();
    const [, keys] = (await answers(before)) as [unknown, unknown];
    expect(JSON.stringify(keys)).not.toContain('unauthorized');

    ecs.destroy();
    await local.stop();
    const template = join(assemblyDirectory, `${DEFAULT_STACK_NAME}.template.json`);
    writeFileSync(template, readFileSync(template, 'utf8').replaceAll(SERVICE_IMAGES[0], SERVICE_IMAGES[1]));
    await start();

    const after = await eventually(async () => {
      const task = await steadyTask();
      expect(task.taskArn).not.toBe(before.taskArn);
      return task;
    });
    expect(after.containers?.[0]?.image).toBe(SERVICE_IMAGES[1]);
    expect(await answers(after)).toEqual([{ status: 'ok' }, keys]);
    const [stopped] = await tasks('STOPPED');
    expect(stopped).toMatchObject({ taskArn: before.taskArn, stopCode: 'ServiceSchedulerInitiated' });
    expect(stopped?.containers?.[0]?.exitCode).toBe(0);
    // ECS counts a task that stops no longer; the database's lock is what keeps the two apart.
    expect(Number(stopped?.stoppingAt)).toBeLessThanOrEqual(Number(after.createdAt));
    expect(local.faults).toEqual([]);
  });
});
