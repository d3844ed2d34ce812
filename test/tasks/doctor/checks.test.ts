import type { Cluster, ContainerDefinition, Task, TaskDefinition } from '@aws-sdk/client-ecs';
import type { NetworkInterface, RouteTable, SecurityGroup, Subnet, VpcEndpoint } from '@aws-sdk/client-ec2';
import type { EvaluationResult } from '@aws-sdk/client-iam';
import { CHECKS } from '../../../lib/tasks/doctor/diagnose';
import { DoctorFacts } from '../../../lib/tasks/doctor/facts';
import type { Finding } from '../../../lib/tasks/doctor/finding';
import type { Target } from '../../../lib/tasks';

const TARGET = {
  taskArn: 'arn:aws:ecs:eu-west-1:123456789012:task/shop/0123456789abcdef0123456789abcdef',
  taskId: '0123456789abcdef0123456789abcdef',
  cluster: 'shop',
  region: 'eu-west-1',
  service: 'web',
  family: 'web-family',
  container: 'web',
} as Target;

/** What AWS says about a task that is in order; a test changes some of it. */
interface Said {
  task?: Partial<Task>;
  container?: Partial<ContainerDefinition>;
  definition?: Partial<TaskDefinition>;
  cluster?: Cluster;
  taskInterface?: Partial<NetworkInterface>;
  subnet?: Partial<Subnet>;
  routes?: RouteTable['Routes'];
  endpoints?: VpcEndpoint[];
  groups?: Record<string, SecurityGroup>;
  denied?: string[];
  logGroup?: { kmsKeyId?: string } | null;
}

const HTTPS_OUT = { IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] };
const ENDPOINT = { State: 'Available', PrivateDnsEnabled: true, Groups: [{ GroupId: 'sg-endpoint' }] } as VpcEndpoint;

/** The facts as AWS would tell them: everything else of the doctor is real. */
function factsOf(said: Said): DoctorFacts {
  const container = {
    name: 'web',
    linuxParameters: { initProcessEnabled: true },
    logConfiguration: { logDriver: 'awslogs' as const },
    ...said.container,
  };
  const task: Task = {
    taskArn: TARGET.taskArn,
    clusterArn: 'arn:aws:ecs:eu-west-1:123456789012:cluster/shop',
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    enableExecuteCommand: true,
    launchType: 'FARGATE',
    platformVersion: '1.4.0',
    containers: [{ name: 'web', managedAgents: [{ name: 'ExecuteCommandAgent', lastStatus: 'RUNNING' }] }],
    ...said.task,
  };
  const definition = {
    taskRoleArn: 'arn:aws:iam::123456789012:role/web',
    containerDefinitions: [container],
    ...said.definition,
  };
  const groups: Record<string, SecurityGroup> = { 'sg-task': HTTPS_OUT, ...said.groups };
  const ofInterface = {
    SubnetId: 'subnet-1',
    PrivateIpAddress: '10.0.1.7',
    Groups: [{ GroupId: 'sg-task' }],
    ...said.taskInterface,
  };
  const overridden: Partial<DoctorFacts> = {
    task: () => Promise.resolve(task),
    definition: () => Promise.resolve(definition),
    cluster: () => Promise.resolve(said.cluster ?? {}),
    caller: () =>
      Promise.resolve({
        arn: 'arn:aws:iam::123456789012:user/me',
        account: '123456789012',
        principal: 'arn:aws:iam::123456789012:user/me',
      }),
    simulate: (_principal, actions) =>
      Promise.resolve(
        actions.map((action): EvaluationResult => ({
          EvalActionName: action,
          EvalDecision: (said.denied ?? ['ssm:StartSession']).includes(action) ? 'implicitDeny' : 'allowed',
        })),
      ),
    networkInterface: () => Promise.resolve(ofInterface),
    subnet: () => Promise.resolve({ SubnetId: 'subnet-1', VpcId: 'vpc-1', OwnerId: '123456789012', ...said.subnet }),
    routeTable: () =>
      Promise.resolve({ Routes: said.routes ?? [{ DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' }] }),
    messageEndpoints: () => Promise.resolve(said.endpoints ?? []),
    securityGroups: (ids) => Promise.resolve(ids.map((id) => groups[id] ?? {})),
    logGroup: () => Promise.resolve(said.logGroup === null ? undefined : (said.logGroup ?? {})) as never,
  };
  return Object.assign(new DoctorFacts({} as never, TARGET), overridden);
}

async function findings(said: Said): Promise<Finding[]> {
  return (await Promise.all(CHECKS.map((check) => check.run(factsOf(said))))).flat();
}

const agent = (lastStatus: string, reason?: string): Said => ({
  task: { containers: [{ name: 'web', managedAgents: [{ name: 'ExecuteCommandAgent', lastStatus, reason }] }] },
});
const exec = (
  executeCommandConfiguration: NonNullable<Cluster['configuration']>['executeCommandConfiguration'],
): Cluster => ({
  configuration: { executeCommandConfiguration },
});
const override = (logConfiguration: object): Cluster => exec({ logging: 'OVERRIDE', logConfiguration });
const variable = (name: string, value = 'x'): Said => ({ container: { environment: [{ name, value }] } });

test('a task that is in order has no findings', async () => {
  await expect(findings({})).resolves.toEqual([]);
});

const CASES: [string, string, Said][] = [
  ['task-state', 'error', { task: { lastStatus: 'DEPROVISIONING' } }],
  ['task-state', 'error', { task: { desiredStatus: 'STOPPED' } }],
  ['task-state', 'warning', { task: { lastStatus: 'PENDING' } }],
  ['exec-disabled', 'error', { task: { enableExecuteCommand: false } }],
  ['platform-version', 'error', { task: { platformVersion: '1.3.0' } }],
  [
    'platform-version',
    'error',
    { task: { launchType: undefined, capacityProviderName: 'FARGATE_SPOT', platformVersion: '1.3.0' } },
  ],
  ['exec-agent', 'error', agent('STOPPED', 'OutOfMemory')],
  ['exec-agent', 'error', { task: { containers: [{ name: 'other' }, { name: 'web' }] } }],
  ['exec-agent', 'warning', agent('PENDING')],
  ['init-process', 'info', { container: { linuxParameters: undefined } }],
  ['read-only-root', 'error', { container: { readonlyRootFilesystem: true } }],
  ['agent-folders', 'error', { container: { mountPoints: [{ containerPath: '/var/lib/amazon/ssm' }] } }],
  ['task-role', 'error', { definition: { taskRoleArn: undefined } }],
  ['task-role-channels', 'error', { denied: ['ssm:StartSession', 'ssmmessages:OpenDataChannel'] }],
  [
    'task-role-key',
    'error',
    { cluster: exec({ kmsKeyId: 'alias/exec' }), denied: ['ssm:StartSession', 'kms:Decrypt'] },
  ],
  [
    'caller-key',
    'error',
    { cluster: exec({ kmsKeyId: 'alias/exec' }), denied: ['ssm:StartSession', 'kms:GenerateDataKey'] },
  ],
  ['caller-execute', 'error', { denied: ['ssm:StartSession', 'ecs:ExecuteCommand'] }],
  ['caller-start-session', 'warning', { denied: [] }],
  ['way-out', 'error', { routes: [] }],
  ['way-out', 'error', { routes: [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1' }] }],
  ['way-out', 'error', { routes: [], endpoints: [{ ...ENDPOINT, PrivateDnsEnabled: false }] }],
  ['security-group-egress', 'error', { groups: { 'sg-task': { IpPermissionsEgress: [] } } }],
  ['endpoint-security-group', 'error', { endpoints: [ENDPOINT] }],
  ['ipv6-only', 'error', { subnet: { Ipv6Native: true } }],
  ['shared-subnet', 'info', { subnet: { OwnerId: '999999999999' } }],
  ['access-keys', 'warning', variable('AWS_ACCESS_KEY_ID')],
  ['access-keys', 'warning', { container: { secrets: [{ name: 'AWS_SECRET_ACCESS_KEY', valueFrom: 'x' }] } }],
  [
    'access-keys',
    'warning',
    {
      task: {
        overrides: { containerOverrides: [{ name: 'web', environment: [{ name: 'AWS_ACCESS_KEY', value: 'x' }] }] },
      },
    },
  ],
  ['proxy', 'error', variable('HTTPS_PROXY', 'http://proxy:3128')],
  ['environment-files', 'info', { container: { environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::b/f' }] } }],
  ['audit-logging', 'info', { container: { logConfiguration: { logDriver: 'awsfirelens' } } }],
];

test.each(CASES)('%s is found as %s', async (id, severity, said) => {
  const found = await findings(said);
  expect(found.filter((finding) => finding.id === id).map((finding) => finding.severity)).toContain(severity);
  // Nothing else is called an error.
  expect(found.filter((finding) => finding.severity === 'error' && finding.id !== id)).toEqual([]);
});

test('audit logging to a separate place', async () => {
  const ids = async (said: Said): Promise<string[]> => (await findings(said)).map(({ id }) => id);
  const cluster = override({ cloudWatchLogGroupName: '/audit', cloudWatchEncryptionEnabled: true });
  await expect(ids({ cluster, logGroup: { kmsKeyId: 'key' } })).resolves.toEqual(['audit-tools']);
  await expect(ids({ cluster, logGroup: {} })).resolves.toContain('audit-log-group');
  await expect(ids({ cluster, logGroup: null })).resolves.toContain('audit-log-group');
  await expect(
    ids({ cluster, logGroup: { kmsKeyId: 'key' }, denied: ['logs:PutLogEvents', 'ssm:StartSession'] }),
  ).resolves.toContain('audit-log-permissions');
  const bucket = override({ s3BucketName: 'audit', s3EncryptionEnabled: true });
  await expect(ids({ cluster: bucket, denied: ['s3:PutObject', 'ssm:StartSession'] })).resolves.toContain(
    'audit-bucket-permissions',
  );
  await expect(ids({ cluster: exec({ logging: 'NONE' }) })).resolves.toEqual(['audit-logging']);
});

test('ways that lead out, and endpoints that let the task in', async () => {
  const letsIn = (permission: object): Said => ({
    routes: [],
    endpoints: [ENDPOINT],
    groups: { 'sg-endpoint': { IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, ...permission }] } },
  });
  for (const said of [
    letsIn({ IpRanges: [{ CidrIp: '10.0.0.0/16' }] }),
    letsIn({ UserIdGroupPairs: [{ GroupId: 'sg-task' }] }),
    {
      routes: [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1' }],
      taskInterface: { Association: { PublicIp: '1.2.3.4' } },
    },
    { routes: [{ DestinationCidrBlock: '0.0.0.0/0', TransitGatewayId: 'tgw-1' }] },
  ]) {
    await expect(findings(said)).resolves.toEqual([]);
  }
  await expect(findings(letsIn({ IpRanges: [{ CidrIp: '10.9.0.0/16' }] }))).resolves.toMatchObject([
    { id: 'endpoint-security-group' },
  ]);
});

test('a proxy that leaves the credentials alone, and no value of a variable in the evidence', async () => {
  const environment = [
    { name: 'HTTPS_PROXY', value: 'http://proxy:3128' },
    { name: 'NO_PROXY', value: 'localhost,169.254.170.2,169.254.169.254' },
  ];
  await expect(findings({ container: { environment } })).resolves.toEqual([]);
  expect(JSON.stringify(await findings(variable('AWS_SECRET_ACCESS_KEY', 'very-secret')))).not.toContain('very-secret');
});
