import type { LoadRequest } from '../../../lib/mngr';
import { loadProviderConfig } from '../../../lib/mngr';
import type { StackLookup } from '../../../lib/mngr';
import { mngrHome } from '../../support/cli/cli-mngr-home';

const OUTPUTS = {
  AwsRegion: 'eu-west-1',
  EcsCluster: 'stack-cluster',
  TaskDefinition: 'stack-task',
  Subnets: 'subnet-a,subnet-b',
  SecurityGroups: 'sg-a',
  AssignPublicIp: 'false',
  ContainerName: 'agent',
  Cpu: '512',
  Memory: '1024',
  OperatorRoleArn: 'arn:aws:iam::123456789012:role/operator',
  DefaultIdleTimeout: '1800',
  Architecture: 'ARM64',
  LogGroup: '/mngr',
};

/** An account with the given stacks, and what was asked of it. */
function account(
  stacks: Record<string, Record<string, string>>,
  sdkRegion?: string,
): StackLookup & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    region: () => Promise.resolve(sdkRegion),
    outputs(stackName, { region, profile }) {
      asked.push([stackName, region, profile].filter((part) => part !== undefined).join(' '));
      const outputs = stacks[stackName];
      return Promise.resolve(outputs === undefined ? undefined : { stackName, outputs });
    },
  };
}

const load = (config: string | undefined, request: Partial<LoadRequest> = {}): ReturnType<typeof loadProviderConfig> =>
  loadProviderConfig({
    baseDirectory: mngrHome(config),
    environment: {},
    stackLookup: account({ 'mngr-fargate': OUTPUTS }),
    ...request,
  });

const BLOCK = '[providers.fargate]\nsubnets = ["subnet-file"]\necs_cluster = "file-cluster"\n';

test('where nothing is configured, the deployed stack is used whole', async () => {
  const { config, sources } = await load(undefined);
  expect(config).toEqual({
    backend: 'fargate',
    aws_region: 'eu-west-1',
    ecs_cluster: 'stack-cluster',
    task_definition: 'stack-task',
    subnets: ['subnet-a', 'subnet-b'],
    security_groups: ['sg-a'],
    assign_public_ip: false,
    container_name: 'agent',
    cpu: 512,
    memory: 1024,
    aws_role_arn: 'arn:aws:iam::123456789012:role/operator',
    default_idle_timeout: 1800,
    architecture: 'ARM64',
    log_group: '/mngr',
  });
  expect(sources.cpu).toBe('output Cpu of stack mngr-fargate (us-east-1)');
});

test("sandboxes have settings of their own, and none of the hosts' role", async () => {
  const outputs = {
    ...OUTPUTS,
    SandboxCluster: 'sandbox-cluster',
    SandboxTaskDefinition: 'sandbox-task',
    SandboxSubnets: 'subnet-c,subnet-d',
    SandboxSecurityGroups: 'sg-b',
    SandboxContainerName: 'agent',
    SandboxCpu: '256',
    SandboxMemory: '512',
    SandboxLogGroup: '/sandbox',
    AssignPublicIp: 'true',
  };
  const { config } = await load(undefined, { part: 'sandboxes', stackLookup: account({ 'mngr-fargate': outputs }) });
  expect(config).toEqual({
    backend: 'fargate',
    aws_region: 'eu-west-1',
    ecs_cluster: 'sandbox-cluster',
    task_definition: 'sandbox-task',
    subnets: ['subnet-c', 'subnet-d'],
    security_groups: ['sg-b'],
    assign_public_ip: false,
    container_name: 'agent',
    cpu: 256,
    memory: 512,
    default_idle_timeout: 3600,
    architecture: 'ARM64',
    log_group: '/sandbox',
  });
});

test('a stack without sandboxes gives no settings for them', async () => {
  await expect(load(undefined, { part: 'sandboxes' })).rejects.toMatchObject({
    code: 'usage',
    message: "stack mngr-fargate (us-east-1) has no sandboxes, only agents' hosts, whose tasks have a role",
    hint: 'deploy it with "npx cdk deploy -c sandbox=true"',
  });
});

test('a block stands on its own, with the defaults for what it leaves out', async () => {
  const lookup = account({ 'mngr-fargate': OUTPUTS });
  const { config } = await load(BLOCK, { stackLookup: lookup });
  expect(config).toMatchObject({ ecs_cluster: 'file-cluster', cpu: 1024, aws_region: 'us-east-1' });
  expect(lookup.asked).toEqual([]);
});

test('command line before environment before block before default', async () => {
  const { config, sources } = await load(`${BLOCK}container_name = "file"\ntask_definition = "file"\n`, {
    environment: {
      MNGR_FARGATE_ECS_CLUSTER: 'env',
      MNGR_FARGATE_CONTAINER_NAME: 'env',
      MNGR_FARGATE_SUBNETS: 'subnet-1, subnet-2',
    },
    overrides: [{ key: 'ecs_cluster', text: 'flag', source: '--cluster' }],
  });
  expect(config).toMatchObject({
    ecs_cluster: 'flag',
    container_name: 'env',
    subnets: ['subnet-1', 'subnet-2'],
    task_definition: 'file',
    cpu: 1024,
  });
  expect(sources).toMatchObject({ ecs_cluster: '--cluster', container_name: 'MNGR_FARGATE_CONTAINER_NAME' });
  expect(sources.cpu).toBeUndefined();
});

test('a stack named on the command line goes before the block', async () => {
  const lookup = account({ other: { ...OUTPUTS, EcsCluster: 'other-cluster' } });
  const { config } = await load(BLOCK, { stack: 'other', stackLookup: lookup });
  expect(config).toMatchObject({ ecs_cluster: 'other-cluster', subnets: ['subnet-a', 'subnet-b'] });
});

test('the stack is looked up with the region and the AWS profile that are set', async () => {
  const lookup = account({ 'mngr-fargate': OUTPUTS });
  await load(undefined, {
    stackLookup: lookup,
    overrides: [{ key: 'aws_region', text: 'ap-south-1', source: '--region' }],
    environment: { MNGR_FARGATE_AWS_PROFILE: 'work' },
  });
  expect(lookup.asked).toEqual(['mngr-fargate ap-south-1 work']);
});

test("without a region in the configuration the SDK's counts", async () => {
  const { config } = await load(BLOCK, { stackLookup: account({}, 'sa-east-1') });
  expect(config.aws_region).toBe('sa-east-1');
});

test('subnets in the environment are configuration enough', async () => {
  const lookup = account({});
  const { config } = await load(undefined, { stackLookup: lookup, environment: { MNGR_FARGATE_SUBNETS: 'subnet-1' } });
  expect(config.ecs_cluster).toBe('mngr');
  expect(lookup.asked).toEqual([]);
});

test('another provider has its own block', async () => {
  const { config } = await load(`${BLOCK}[providers.staging]\necs_cluster = "staging"\n`, { provider: 'staging' });
  expect(config.ecs_cluster).toBe('staging');
});

test('nothing configured and no stack: the error says where it looked and what to do', async () => {
  await expect(load(undefined, { stackLookup: account({}) })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /no \[providers\.fargate\] in .*config\.toml, and no stack mngr-fargate in us-east-1/,
    ) as string,
    hint: expect.stringContaining('npx cdk deploy') as string,
  });
});

test('a named stack that is not there is not found; one without our outputs is refused', async () => {
  await expect(load(BLOCK, { stack: 'gone' })).rejects.toMatchObject({ code: 'not-found' });
  await expect(load(BLOCK, { stack: 'site', stackLookup: account({ site: { Url: 'x' } }) })).rejects.toMatchObject({
    code: 'usage',
    message: 'stack site (us-east-1) has no outputs of an mngr-fargate environment',
  });
});

test.each([
  [
    'a misspelt key',
    'ecs_clutser = "x"',
    /config\.toml \[providers\.fargate\]: unknown key "ecs_clutser"/,
    'did you mean ecs_cluster?',
  ],
  ['a key with dashes', 'ecs-cluster = "x"', /unknown key "ecs-cluster"/, 'did you mean ecs_cluster?'],
  ['a key like no other', 'zzz = 1', /unknown key "zzz"/, 'the keys are backend, aws_region'],
  ['text for a number', 'cpu = "1024"', /cpu must be a whole number, not "1024"/, undefined],
  ['a fraction', 'memory = 2048.5', /memory must be a whole number, not 2048.5/, undefined],
  ['a number for text', 'task_definition = 5', /task_definition must be a string, not 5/, undefined],
  ['text for a list', 'security_groups = "sg-1"', /security_groups must be a list of strings, not "sg-1"/, undefined],
  ['text for a switch', 'assign_public_ip = "no"', /assign_public_ip must be true or false, not "no"/, undefined],
  ['another backend', 'backend = "docker"', /backend must be fargate, not "docker"/, undefined],
  ['an unknown architecture', 'architecture = "arm"', /architecture must be X86_64 or ARM64, not "arm"/, undefined],
  [
    'a user for a role',
    'aws_role_arn = "arn:aws:iam::1:user/x"',
    /aws_role_arn must be the ARN of an IAM role/,
    undefined,
  ],
  ['an age of seconds', 'default_max_age = 5', /default_max_age must be at least 60, not 5/, undefined],
  ['a negative timeout', 'default_idle_timeout = -1', /default_idle_timeout must be at least 0, not -1/, undefined],
  ['an empty name', 'container_name = ""', /container_name must not be empty/, undefined],
  ['an impossible size', 'cpu = 300', /cpu 300 is not a Fargate size: use one of 256, 512/, undefined],
  [
    'an impossible pair',
    'cpu = 256\nmemory = 4096',
    /memory 4096 MiB does not go with cpu 256: use 512, 1024, 2048/,
    undefined,
  ],
  ['no TOML', 'cpu = = 1', /config\.toml is not valid TOML, line 4/, undefined],
])('%s is a usage error that names it', async (_name, line, message, hint) => {
  const loading = load(`${BLOCK}${line}\n`);
  await expect(loading).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) as string });
  if (hint !== undefined)
    await expect(loading).rejects.toMatchObject({ hint: expect.stringContaining(hint) as string });
});

test('an impossible pair names both of its sources', async () => {
  await expect(load(`${BLOCK}memory = 4096\n`, { environment: { MNGR_FARGATE_CPU: '256' } })).rejects.toThrow(
    /^MNGR_FARGATE_CPU, .*config\.toml \[providers\.fargate\]: memory 4096 MiB does not go with cpu 256/,
  );
});

test.each([
  ['MNGR_FARGATE_CPU', 'lots', 'MNGR_FARGATE_CPU: cpu must be a whole number, not "lots"'],
  ['MNGR_FARGATE_ASSIGN_PUBLIC_IP', 'maybe', 'MNGR_FARGATE_ASSIGN_PUBLIC_IP: assign_public_ip must be true or false'],
  ['MNGR_FARGATE_SUBNET', 'subnet-1', 'environment variable MNGR_FARGATE_SUBNET has no effect'],
])('%s=%s is refused', async (name, text, message) => {
  await expect(load(BLOCK, { environment: { [name]: text } })).rejects.toThrow(message);
});

test("other tools' variables of the same prefix are left alone", async () => {
  const { config } = await load(BLOCK, { environment: { MNGR_FARGATE_TRACE_COLLECTOR: 'x', MNGR_FARGATE_CPU: '' } });
  expect(config.cpu).toBe(1024);
});

test('a provider name that AWS could not carry is refused', async () => {
  await expect(load(BLOCK, { provider: 'a/b' })).rejects.toMatchObject({ code: 'usage' });
});
