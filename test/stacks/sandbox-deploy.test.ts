import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { Service, TaskDefinition } from '@aws-sdk/client-ecs';
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { parse } from 'smol-toml';
import { DEFAULT_STACK_NAME } from '../../lib/contract/outputs';
import { providerConfigSchema } from '../../lib/contract/provider-config';
import { SANDBOX_OUTPUTS, SANDBOX_SERVICE_OUTPUTS } from '../../lib/contract/sandbox-outputs';
import { cachedAssembly } from '../support/cdk/assembly-cache';
import { Deployment } from '../support/cdk/deployment';
import { MINISTACK_ACCOUNT, MINISTACK_REGION } from '../support/cdk/ministack';
import { python } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';

const REGISTRY = `${MINISTACK_ACCOUNT}.dkr.ecr.${MINISTACK_REGION}.amazonaws.com/mngr`;

const CONTEXT = {
  account: MINISTACK_ACCOUNT,
  region: MINISTACK_REGION,
  // It knows no NAT gateways, flow logs, associations of capacity providers and saved queries (Deployment).
  network: 'private-endpoints',
  flowLogs: 'false',
  spot: 'false',
  reaper: 'false',
  image: `${REGISTRY}/agent:1`,
  sandbox: 'true',
  sandboxImage: `${REGISTRY}/sandbox:1`,
  sandboxServiceImage: `${REGISTRY}/service:1`,
  sandboxCertificateArn: `arn:aws:acm:${MINISTACK_REGION}:${MINISTACK_ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef`,
  sandboxCidr: '203.0.113.0/24',
  sandboxDomain: 'sandbox.example.com',
} as const;

/** Rules between groups, which have to be resources of their own; sandbox-service-stack.test.ts looks at them. */
const UNKNOWN_TYPES = ['AWS::EC2::SecurityGroupEgress', 'AWS::EC2::SecurityGroupIngress'];

/**
 * The whole stack in a CloudFormation that none of us wrote. It starts no task: test/sandbox/service-image.container.test.ts
 * has a deployment of another image with the tasks themselves.
 */
describeWith(python, 'deploying the stack with sandboxes and their service', () => {
  let stack: Deployment;

  beforeAll(async () => {
    stack = await Deployment.start(DEFAULT_STACK_NAME);
  }, 300_000);
  afterAll(() => stack?.stop());

  const deploy = async (changes: Readonly<Record<string, string>> = {}) =>
    stack.deployAssembly(await cachedAssembly({ ...CONTEXT, ...changes }), UNKNOWN_TYPES);

  const definition = async (taskDefinition = ''): Promise<TaskDefinition> =>
    (await stack.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }))).taskDefinition as TaskDefinition;

  it('creates, updates the service in place, and leaves nothing behind', async () => {
    const outputs = await deploy();
    const known = [...Object.values(SANDBOX_OUTPUTS), ...Object.values(SANDBOX_SERVICE_OUTPUTS)];
    expect(known.filter((name) => !outputs[name])).toEqual([]);
    expect(outputs[SANDBOX_SERVICE_OUTPUTS.url]).toBe('https://sandbox.example.com');
    const { providers } = parse(outputs[SANDBOX_OUTPUTS.providerBlock] as string) as {
      providers: { sandbox: unknown };
    };
    expect(providerConfigSchema.parse(providers.sandbox)).toMatchObject({
      ecs_cluster: outputs[SANDBOX_OUTPUTS.ecsCluster],
      security_groups: [outputs[SANDBOX_OUTPUTS.securityGroups]],
      assign_public_ip: false,
    });
    const sandbox = await definition(outputs[SANDBOX_OUTPUTS.taskDefinition]);
    expect(sandbox.taskRoleArn ?? '').toBe('');
    expect(sandbox.executionRoleArn).toBe(outputs[SANDBOX_OUTPUTS.executionRoleArn]);

    const service = async (): Promise<Service> => {
      const cluster = outputs[SANDBOX_OUTPUTS.ecsCluster];
      const services = [outputs[SANDBOX_SERVICE_OUTPUTS.serviceName] ?? ''];
      return (await stack.ecs.send(new DescribeServicesCommand({ cluster, services }))).services?.[0] as Service;
    };
    const first = await service();
    expect(first).toMatchObject({
      desiredCount: 1,
      deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
    });

    // The database is on a file system that stays, and the name in the DNS leads to a load balancer that stays.
    const before = await stack.resources();
    await deploy({ sandboxServiceImage: `${REGISTRY}/service:2`, sandboxDefaultTtl: '600' });
    const after = await stack.resources();
    const changed = [...before].filter(([name, { id }]) => after.get(name)?.id !== id);
    expect(changed.map(([, { type }]) => type)).toEqual(['AWS::ECS::TaskDefinition']);
    const second = await service();
    expect(second.serviceArn).toBe(first.serviceArn);
    expect(second.taskDefinition).not.toBe(first.taskDefinition);
    const [container] = (await definition(second.taskDefinition)).containerDefinitions ?? [];
    expect(container?.image).toBe(`${REGISTRY}/service:2`);
    expect(container?.environment).toContainEqual({ name: 'DEFAULT_TTL_SECONDS', value: '600' });

    expect(await stack.destroy()).toMatchObject({ exitCode: 0 });
    await expect(
      stack.cloudformation.send(new DescribeStacksCommand({ StackName: DEFAULT_STACK_NAME })),
    ).rejects.toThrow(/does not exist/);
  }, 900_000);
});
