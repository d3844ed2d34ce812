import { ECSClient, ListTasksCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import type { RunTaskCommandInput } from '@aws-sdk/client-ecs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';

describe('RunTask', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  beforeAll(async () => {
    local = await startLocalEndpoint();
    ecs = new ECSClient(local.client);
  });

  afterEach(() => {
    local.control.reset();
  });

  afterAll(async () => {
    ecs.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const network = (change: object = {}): RunTaskCommandInput['networkConfiguration'] => ({
    awsvpcConfiguration: {
      subnets: [local.outputs.Subnets?.split(',')[0] ?? ''],
      assignPublicIp: 'ENABLED',
      ...change,
    },
  });
  const request = (change: Partial<RunTaskCommandInput> = {}): RunTaskCommandInput => ({
    cluster: 'mngr',
    taskDefinition: 'mngr-task',
    launchType: 'FARGATE',
    networkConfiguration: network(),
    ...change,
  });
  const run = (change: Partial<RunTaskCommandInput>) => ecs.send(new RunTaskCommand(request(change)));

  const refused: readonly (readonly [string, () => Partial<RunTaskCommandInput>, string, RegExp])[] = [
    ['an unknown cluster', () => ({ cluster: 'nope' }), 'ClusterNotFoundException', /^Cluster not found\.$/],
    ['an unknown definition', () => ({ taskDefinition: 'nope' }), 'ClientException', /TaskDefinition not found/],
    ['eleven tasks', () => ({ count: 11 }), 'InvalidParameterException', /between 1 and 10/],
    [
      'a pair Fargate does not have',
      () => ({ overrides: { cpu: '256', memory: '4096' } }),
      'InvalidParameterException',
      /^No Fargate configuration exists for given values: 256 CPU, 4096 memory\. See the Amazon ECS documentation for the valid values\.$/,
    ],
    [
      'overrides of more than 8192 characters',
      () => ({
        overrides: { containerOverrides: [{ name: 'agent', environment: [{ name: 'A', value: 'x'.repeat(8192) }] }] },
      }),
      'InvalidParameterException',
      /Overrides length must be at most 8192/,
    ],
    [
      'an override of another container',
      () => ({ overrides: { containerOverrides: [{ name: 'other' }] } }),
      'InvalidParameterException',
      /Override for container named other is not a container in the TaskDefinition/,
    ],
    [
      'an unknown subnet',
      () => ({ networkConfiguration: network({ subnets: ['subnet-0123456789abcdef0'] }) }),
      'InvalidParameterException',
      /subnet ID 'subnet-0123456789abcdef0' does not exist \(ErrorCode: InvalidSubnetID\.NotFound\)/,
    ],
    [
      'an unknown security group',
      () => ({ networkConfiguration: network({ securityGroups: ['sg-0123456789abcdef0'] }) }),
      'InvalidParameterException',
      /InvalidGroup\.NotFound/,
    ],
    [
      'no network',
      () => ({ networkConfiguration: undefined }),
      'InvalidParameterException',
      /^Network Configuration must be provided when networkMode 'awsvpc' is specified\.$/,
    ],
    [
      'a launch type beside a strategy',
      () => ({ capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT' }] }),
      'InvalidParameterException',
      /both a launch type and capacity provider strategy/,
    ],
    [
      'a provider that the cluster lacks',
      () => ({ launchType: undefined, capacityProviderStrategy: [{ capacityProvider: 'OTHER' }] }),
      'InvalidParameterException',
      /not associated with the cluster/,
    ],
    [
      'instances that are not there',
      () => ({ launchType: 'EC2' }),
      'InvalidParameterException',
      /No Container Instances/,
    ],
    ['a startedBy of other characters', () => ({ startedBy: 'a b' }), 'InvalidParameterException', /startedBy/],
    ['a startedBy that is too long', () => ({ startedBy: 'x'.repeat(129) }), 'InvalidParameterException', /startedBy/],
    ['a tag of AWS', () => ({ tags: [{ key: 'aws:x', value: '' }] }), 'InvalidParameterException', /aws: prefixed/],
    [
      '51 tags',
      () => ({ tags: Array.from({ length: 51 }, (_, n) => ({ key: `k${n}`, value: '' })) }),
      'InvalidParameterException',
      /50/,
    ],
    ['propagateTags NONE', () => ({ propagateTags: 'NONE' }), 'InvalidParameterException', /propagateTags/],
    [
      'an unknown platform',
      () => ({ platformVersion: '9.9.9' }),
      'PlatformUnknownException',
      /platform does not exist/,
    ],
  ];

  it.each(refused)('refuses %s', async (_, change, name, message) => {
    await expect(run(change())).rejects.toMatchObject({ name, message: expect.stringMatching(message) as string });
  });

  it('launches on Spot, as many as asked for, over the subnets', async () => {
    const subnets = local.outputs.Subnets?.split(',') ?? [];
    const { tasks = [] } = await run({
      count: 4,
      launchType: undefined,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
      networkConfiguration: network({ subnets }),
    });
    expect(tasks.map(({ capacityProviderName }) => capacityProviderName)).toEqual(Array(4).fill('FARGATE_SPOT'));
    expect(new Set(tasks.map(({ attachments }) => attachments?.[0]?.details?.[0]?.value))).toEqual(new Set(subnets));
  });

  it('gives the same tasks for the same token and call, and a conflict for another call', async () => {
    const token = { clientToken: 'token-1', startedBy: 'mngr/fargate/token' };
    const first = await run(token);
    const again = await run(token);
    expect(again.tasks?.map(({ taskArn }) => taskArn)).toEqual(first.tasks?.map(({ taskArn }) => taskArn));
    await expect(run({ ...token, startedBy: 'mngr/fargate/other' })).rejects.toMatchObject({
      name: 'ConflictException',
      resourceIds: [first.tasks?.[0]?.taskArn],
    });
    local.control.advanceClock(25 * 3600_000);
    const later = await run(token);
    expect(later.tasks?.[0]?.taskArn).not.toBe(first.tasks?.[0]?.taskArn);
  });

  it('answers a lack of capacity with failures, not with an error', async () => {
    local.control.faults.set([{ kind: 'capacity', times: 1 }]);
    const { tasks, failures } = await run({ count: 2 });
    expect(tasks).toHaveLength(1);
    expect(failures).toEqual([{ reason: expect.stringContaining('Capacity is unavailable at this time') as string }]);
  });

  it('lists pages of any size, each task once', async () => {
    await run({ count: 10, startedBy: 'mngr/fargate/pages' });
    const seen: string[] = [];
    let nextToken: string | undefined;
    do {
      const page: { taskArns?: string[]; nextToken?: string } = await ecs.send(
        new ListTasksCommand({ cluster: 'mngr', startedBy: 'mngr/fargate/pages', maxResults: 3, nextToken }),
      );
      expect(page.taskArns?.length).toBeLessThanOrEqual(3);
      seen.push(...(page.taskArns ?? []));
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    expect(new Set(seen).size).toBe(10);
    expect(seen).toHaveLength(10);
    await expect(
      ecs.send(new ListTasksCommand({ cluster: 'mngr', startedBy: 'x', family: 'mngr-task' })),
    ).rejects.toMatchObject({ message: 'cannot specify startedBy with other arguments' });
  });

  describe('under the policy of the template', () => {
    let operator: ECSClient;

    beforeAll(async () => {
      const sts = new STSClient(local.client);
      const { Credentials } = await sts.send(
        new AssumeRoleCommand({ RoleArn: local.outputs.OperatorRoleArn, RoleSessionName: 'test' }),
      );
      operator = new ECSClient({
        ...local.client,
        credentials: {
          accessKeyId: Credentials?.AccessKeyId ?? '',
          secretAccessKey: Credentials?.SecretAccessKey ?? '',
          sessionToken: Credentials?.SessionToken,
        },
      });
      sts.destroy();
    });

    afterAll(() => operator.destroy());

    it('launches what the policy allows, with tags', async () => {
      const { tasks } = await operator.send(new RunTaskCommand(request({ tags: [{ key: 'a', value: 'b' }] })));
      expect(tasks?.[0]?.tags).toEqual([{ key: 'a', value: 'b' }]);
    });

    it('refuses to pass a role that it may not pass', async () => {
      const taskRoleArn = `arn:aws:iam::000000000000:role/admin`;
      await expect(operator.send(new RunTaskCommand(request({ overrides: { taskRoleArn } })))).rejects.toMatchObject({
        name: 'AccessDeniedException',
        message: `User: arn:aws:sts::000000000000:assumed-role/${
          local.outputs.OperatorRoleArn?.split('/').at(-1) ?? ''
        }/test is not authorized to perform: iam:PassRole on resource: ${taskRoleArn} because no identity-based policy allows the iam:PassRole action`,
      });
    });
  });
});
