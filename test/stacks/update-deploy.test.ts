import { DescribeClustersCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { CONTEXT_UPDATES } from '../../lib/stacks/context-updates';
import { Deployment } from '../support/cdk/deployment';
import { python } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';

const STACK = 'agents';
const ALWAYS = { stackName: STACK, maxAzs: '1', operatorPrincipals: '000000000000' };

/** Every key whose other value leaves the parts in place, apart from those of parts that MiniStack doesn't know. */
const IN_PLACE = {
  sshCidr: '203.0.113.7/32',
  sessionSsh: 'true',
  containerInsights: 'disabled',
  cpu: '2048',
  memory: '8192',
  ephemeralStorage: '50',
  image: 'registry.example.com/mngr/agent:2',
  logRetentionDays: '30',
  retainHosts: 'true',
  taskRolePolicies: 'arn:aws:iam::aws:policy/ReadOnlyAccess',
  bedrock: 'true',
  secrets: 'mngr/api-key',
  operatorPrincipals: '000000000000,210987654321',
  operatorExternalId: 'mngr-4711',
  operatorExec: 'true',
  operatorShell: 'true',
  defaultIdleTimeout: '600',
  defaultMaxAge: '86400',
  awsProfile: 'team',
  proxyJump: 'ada@gate.example.com',
  nagPacks: 'none',
} as const;

/**
 * What the table of updates says, done by a CloudFormation that none of us wrote. Keys of one kind change together: each
 * deployment takes long.
 */
describeWith(python, 'updating the stack with the cdk CLI', () => {
  let stack: Deployment;

  beforeAll(async () => {
    stack = await Deployment.start(STACK);
  }, 300_000);
  afterAll(() => stack?.stop());

  /** Types of resources whose physical ids are others than before, or that are gone. */
  type Resources = Awaited<ReturnType<Deployment['resources']>>;
  const changedTypes = (before: Resources, after: Resources): string[] => {
    const changed = [...before].filter(([logicalId, { id }]) => after.get(logicalId)?.id !== id);
    return [...new Set(changed.map(([, { type }]) => type))].sort();
  };

  it('keeps, grows and replaces what the table says', async () => {
    for (const key of Object.keys(IN_PLACE) as (keyof typeof IN_PLACE)[])
      expect(['in-place', 'revision', 'nothing']).toContain(CONTEXT_UPDATES[key].effect);

    await stack.deploy(ALWAYS);
    const first = await stack.resources();
    const clusters = async (...names: string[]) =>
      (await stack.ecs.send(new DescribeClustersCommand({ clusters: names }))).clusters?.map(
        ({ clusterName, status }) => `${clusterName} ${status}`,
      );
    const revision = async (): Promise<number> => {
      const command = new DescribeTaskDefinitionCommand({ taskDefinition: 'mngr-task' });
      return (await stack.ecs.send(command)).taskDefinition?.revision ?? 0;
    };
    const before = await revision();

    // In place: only the task definition has another id, that of its next revision.
    const outputs = await stack.deploy({ ...ALWAYS, ...IN_PLACE });
    const second = await stack.resources();
    expect(changedTypes(first, second)).toEqual(['AWS::ECS::TaskDefinition']);
    expect(await revision()).toBeGreaterThan(before);
    expect(outputs).toMatchObject({ Cpu: '2048', Memory: '8192', DefaultMaxAge: '86400', DefaultIdleTimeout: '600' });

    // More zones: nothing that is there moves.
    const wider = { ...ALWAYS, ...IN_PLACE, maxAzs: '3' };
    await stack.deploy(wider);
    const third = await stack.resources();
    expect(changedTypes(second, third)).toEqual([]);
    expect([...third.values()].filter(({ type }) => type === 'AWS::EC2::Subnet')).toHaveLength(3);

    // Another prefix under the same stack name, and another network: what the table names is made anew.
    await stack.deploy({ ...wider, namePrefix: 'team-a', vpcCidr: '10.20.0.0/16' });
    const fourth = await stack.resources();
    const replaced = [...(CONTEXT_UPDATES.namePrefix.replaces ?? []), ...(CONTEXT_UPDATES.vpcCidr.replaces ?? [])];
    const here = replaced.filter((type) => [...third.values()].some((resource) => resource.type === type));
    expect(here.length).toBeGreaterThan(3);
    expect(changedTypes(third, fourth)).toEqual(expect.arrayContaining(here));
    const kept = ['AWS::IAM::Role', 'AWS::IAM::ManagedPolicy', 'AWS::Logs::LogGroup'];
    expect(changedTypes(third, fourth).filter((type) => kept.includes(type))).toEqual([]);
    expect(await clusters('team-a-mngr')).toEqual(['team-a-mngr ACTIVE']);
    expect(await clusters('mngr')).not.toEqual(['mngr ACTIVE']);

    expect(await stack.destroy()).toMatchObject({ exitCode: 0 });
  }, 900_000);
});
