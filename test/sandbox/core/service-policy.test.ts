import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeTaskDefinitionCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
} from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput, RunTaskCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { DEFAULT_STACK_NAME, STACK_OUTPUTS } from '../../../lib/contract/outputs';
import { SANDBOX_OUTPUTS } from '../../../lib/contract/sandbox-outputs';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { ProcessRuntime } from '../../../lib/local/runtimes';
import { loadProviderConfig } from '../../../lib/mngr';
import type { RunningSandbox } from '../../../lib/sandbox/serve';
import { serveSandbox } from '../../../lib/sandbox/serve';
import { settingsOfEnvironment } from '../../../lib/sandbox/settings';
import { cachedAssembly, WITH_SANDBOXES } from '../../support/cdk/assembly-cache';
import { startLocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../support/endpoint/local-endpoint';
import { ApiClient } from '../../support/sandbox/api-client';

const ROLE = 'sandbox-service';
const folder = mkdtempSync(join(tmpdir(), 'mngr-sandbox-policy-'));
const assemblyDirectory = join(folder, 'cdk.out');
let local: LocalEndpoint<ProcessRuntime>;
let running: RunningSandbox;
let api: ApiClient;
/** With the service's credentials. */
let ecs: ECSClient;
/** The asset's hash in the stack's image, by which the endpoint knows what to run for another name too. */
let asset = '';

/** The service runs somewhere in the network, as someone whose role has the stack's policy for it and nothing else. */
beforeAll(async () => {
  cpSync(await cachedAssembly(WITH_SANDBOXES), assemblyDirectory, { recursive: true });
  addServiceRole(join(assemblyDirectory, `${DEFAULT_STACK_NAME}.template.json`));
  const runtime = await ProcessRuntime.create({ stateDirectory: folder, endpointId: `policy-${process.pid}` });
  local = await startLocalEndpoint({ runtime, assemblyDirectory, stateDirectory: folder });
  const roleArn = `arn:aws:iam::000000000000:role/${ROLE}`;
  const credentials = await credentialsOf(roleArn);
  const { config } = await loadProviderConfig({
    baseDirectory: folder,
    environment: { MNGR_FARGATE_AWS_REGION: local.region, MNGR_FARGATE_AWS_ROLE_ARN: roleArn },
    stack: DEFAULT_STACK_NAME,
    part: 'sandboxes',
    aws: { endpoint: local.endpoint, credentials: () => Promise.resolve(credentials) },
  });
  running = await serveSandbox({
    settings: { ...settingsOfEnvironment({ SANDBOX_DATA_DIRECTORY: join(folder, 'data') }), cpu: 256, memory: 512 },
    config: { ...config, transport: 'direct', default_idle_timeout: 0 },
    aws: { endpoint: local.endpoint, credentials: () => Promise.resolve(local.credentials) },
  });
  api = new ApiClient(running.url, running.key);
  ecs = new ECSClient({ ...local.client, credentials });
  asset = (await definition()).containerDefinitions?.[0]?.image?.split(':').at(-1) ?? '';
});

afterAll(async () => {
  ecs?.destroy();
  await running?.close({ destroy: true });
  await local?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

function addServiceRole(file: string): void {
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: Record<string, object> };
  const [policy] = Object.keys(template.Resources).filter((name) => name.startsWith('SandboxesServicePolicy'));
  const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: 'arn:aws:iam::000000000000:root' } };
  template.Resources.Service = {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: ROLE,
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
      ManagedPolicyArns: [{ Ref: policy }],
    },
  };
  writeFileSync(file, JSON.stringify(template));
}

async function credentialsOf(roleArn: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const sts = new STSClient(local.client);
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test' }));
  sts.destroy();
  const {
    AccessKeyId: accessKeyId = '',
    SecretAccessKey: secretAccessKey = '',
    SessionToken: sessionToken,
  } = made ?? {};
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

const output = (name: string): string => local.outputs[name] ?? '';

const definition = async (revision = output(SANDBOX_OUTPUTS.taskDefinition)): Promise<TaskDefinition> =>
  (await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: revision }))).taskDefinition as TaskDefinition;

it('is enough for a session from its start to its end', async () => {
  const box = await api.sandbox({ id: 'box' });
  expect((await api.run(box, { argv: ['echo', 'hello'] })).result).toMatchObject({ stdout: 'hello\n' });
  expect((await api.get(`${box}/diagnostics`)).json).toMatchObject({
    task_state: 'RUNNING',
    log_lines: expect.arrayContaining([
      expect.objectContaining({ message: expect.stringContaining('sshd') as string }),
    ]) as object[],
  });
  expect((await api.delete(box)).status).toBe(200);
});

it('is enough for a session with an image of its own, whose task has no role either', async () => {
  const image = `registry.example.com/team/tools:${asset}`;
  const box = await api.sandbox({ image });
  expect((await api.run(box, { argv: ['echo', 'hello'] })).result).toMatchObject({ stdout: 'hello\n' });
  const newest = await definition();
  expect(newest.containerDefinitions?.[0]?.image).toBe(image);
  expect(newest.taskRoleArn).toBeUndefined();
  await api.delete(box);

  // The next session is again of the stack's image.
  const next = await api.sandbox();
  expect((await api.get(next)).json).toMatchObject({ image: null });
  await api.delete(next);
  const { json } = await api.get(`${next}/diagnostics`);
  expect(json.problem).toBeNull();
});

describe('gives no right', () => {
  const run = async (change: Partial<RunTaskCommandInput>): Promise<void> => {
    const subnets = output(SANDBOX_OUTPUTS.subnets).split(',');
    const taskDefinition = output(SANDBOX_OUTPUTS.taskDefinition);
    await ecs.send(
      new RunTaskCommand({
        cluster: output(SANDBOX_OUTPUTS.ecsCluster),
        taskDefinition,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets } },
        tags: [{ key: HOST_TAGS.environment, value: taskDefinition }],
        ...change,
      }),
    );
  };
  const register = async (change: Partial<RegisterTaskDefinitionCommandInput>): Promise<void> => {
    const { family, containerDefinitions, cpu, memory, executionRoleArn, networkMode } = await definition();
    await ecs.send(
      new RegisterTaskDefinitionCommand({
        ...{ family, containerDefinitions, cpu, memory, executionRoleArn, networkMode },
        requiresCompatibilities: ['FARGATE'],
        ...change,
      }),
    );
  };

  it.each<[string, () => Promise<void>]>([
    ['to start a task without the tag of sandboxes', () => run({ tags: [] })],
    [
      'to start one that says it is of another environment',
      () => run({ tags: [{ key: HOST_TAGS.environment, value: 'mngr-task' }] }),
    ],
    ["to start one in the hosts' cluster", () => run({ cluster: output(STACK_OUTPUTS.ecsCluster) })],
    ["to start an agents' host", () => run({ taskDefinition: output(STACK_OUTPUTS.taskDefinition) })],
    ['to start a sandbox with a role', () => run({ overrides: { taskRoleArn: output(STACK_OUTPUTS.taskRoleArn) } })],
    ['to register another family', () => register({ family: 'mngr-task' })],
    ['to register a revision with a role', () => register({ taskRoleArn: output(STACK_OUTPUTS.taskRoleArn) })],
    [
      "to make a revision look like the stack's",
      () => register({ tags: [{ key: 'mngr-stack-revision', value: 'mngr-sandbox' }] }),
    ],
  ])('%s', async (_, attempt) => {
    await expect(attempt()).rejects.toThrow(/is not authorized to perform/);
  });
});
