import { join } from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { DescribeSecurityGroupsCommand } from '@aws-sdk/client-ec2';
import { DescribeClustersCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { parse } from 'smol-toml';
import { providerConfigSchema } from '../../lib/contract/provider-config';
import { DEFAULT_STACK_NAME, STACK_OUTPUTS } from '../../lib/contract/outputs';
import { OPTIONAL_OUTPUTS } from '../support/assertions/optional-outputs';
import { cdk } from '../support/cdk/cdk-cli';
import type { Outputs } from '../support/cdk/deployment';
import { Deployment } from '../support/cdk/deployment';
import { MINISTACK_REGION } from '../support/cdk/ministack';
import { python } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';

/** The stack's whole life. */
describeWith(python, 'deploying the stack with the cdk CLI', () => {
  const configOf = (outputs: Outputs) => {
    const { providers } = parse(outputs.ProviderBlock as string) as { providers: { fargate: unknown } };
    return providerConfigSchema.parse(providers.fargate);
  };

  let stack: Deployment;

  beforeAll(async () => {
    stack = await Deployment.start(DEFAULT_STACK_NAME);
  }, 300_000);
  afterAll(() => stack?.stop());

  it('deploys, updates a setting, and leaves nothing behind', async () => {
    const { cloudformation, ec2, ecs } = stack;

    const first = await stack.deploy({ sshCidr: '203.0.113.7/32' });
    expect(Object.keys(first).sort()).toEqual(
      Object.values(STACK_OUTPUTS)
        .filter((name) => !OPTIONAL_OUTPUTS.has(name))
        .sort(),
    );
    const config = configOf(first);
    expect(config).toMatchObject({
      aws_region: MINISTACK_REGION,
      ecs_cluster: 'mngr',
      task_definition: 'mngr-task',
      subnets: [expect.stringMatching(/^subnet-/), expect.stringMatching(/^subnet-/)],
      security_groups: [expect.stringMatching(/^sg-/)],
      assign_public_ip: true,
      cpu: 1024,
      memory: 4096,
      aws_role_arn: expect.stringMatching(/^arn:aws:iam::000000000000:role\//),
    });

    // What the outputs name is really there.
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: DEFAULT_STACK_NAME }));
    expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
    const { clusters } = await ecs.send(new DescribeClustersCommand({ clusters: [config.ecs_cluster] }));
    expect(clusters).toMatchObject([{ clusterName: 'mngr', status: 'ACTIVE' }]);
    const before = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: config.task_definition }));
    expect(before.taskDefinition).toMatchObject({
      cpu: '1024',
      memory: '4096',
      networkMode: 'awsvpc',
      taskRoleArn: first.TaskRoleArn,
      executionRoleArn: first.ExecutionRoleArn,
      containerDefinitions: [{ name: config.container_name, image: 'registry.example.com/mngr/agent:1' }],
    });
    expect(await sshSources(ec2, config.security_groups)).toEqual(['203.0.113.7/32']);

    // A setting changes: another size and another source.
    const second = await stack.deploy({
      sshCidr: '198.51.100.0/24',
      cpu: '2048',
      memory: '8192',
      defaultMaxAge: '7200',
    });
    expect(configOf(second)).toMatchObject({ ...config, cpu: 2048, memory: 8192, default_max_age: 7200 });
    const after = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: config.task_definition }));
    expect(after.taskDefinition).toMatchObject({ cpu: '2048', memory: '8192' });
    expect(after.taskDefinition?.revision).toBeGreaterThan(before.taskDefinition?.revision ?? 0);
    expect(await sshSources(ec2, config.security_groups)).toEqual(['198.51.100.0/24']);

    expect((await stack.resources()).size).toBeGreaterThan(20);

    expect(await stack.destroy()).toMatchObject({ exitCode: 0 });
    await expect(cloudformation.send(new DescribeStacksCommand({ StackName: DEFAULT_STACK_NAME }))).rejects.toThrow(
      /does not exist/,
    );
    const gone = await ec2.send(new DescribeSecurityGroupsCommand({}));
    expect(gone.SecurityGroups?.map(({ GroupId }) => GroupId)).not.toContain(config.security_groups[0]);
  }, 600_000);

  it('stops before it calls AWS when a setting is wrong, and says what is allowed', async () => {
    const { exitCode, output } = await cdk(
      [
        'synth',
        ...stack.context({ cpu: '1000', sshCIDR: '203.0.113.7/32' }),
        '--output',
        join(stack.folder, 'wrong.out'),
      ],
      stack.aws.environment,
    );

    expect(exitCode).not.toBe(0);
    expect(output).toContain('sshCIDR: no such key, did you mean sshCidr?');
    expect(output).not.toMatch(/\n\s+at .*\.ts:\d+/);
  }, 300_000);
});

const sshSources = async (ec2: EC2Client, groups: readonly string[]): Promise<(string | undefined)[]> => {
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [...groups] }));
  const rules = SecurityGroups?.flatMap(({ IpPermissions = [] }) => IpPermissions) ?? [];
  expect(rules.every(({ FromPort, ToPort }) => FromPort === 22 && ToPort === 22)).toBe(true);
  return rules.flatMap(({ IpRanges = [] }) => IpRanges.map(({ CidrIp }) => CidrIp));
};
