import { Match, Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SANDBOX_OUTPUTS } from '../../lib/contract/sandbox-outputs';
import { STACK_OUTPUTS } from '../../lib/contract/outputs';
import { SandboxServiceStack } from '../../lib/stacks/sandbox-service-stack';
import { STACK_VARIANTS } from '../support/cdk/stack-variants';
import { appFor, templateFor as synthesize } from '../support/cdk/synthesized-app';
import { snapshotOf } from '../support/assertions/template-snapshot';

const SANDBOXES = { sandbox: 'true' };

const templates = new Map<string, Template>();
function templateFor(context: Readonly<Record<string, string>>): Template {
  const key = JSON.stringify(context);
  const template = templates.get(key) ?? synthesize(context);
  templates.set(key, template);
  return template;
}

type Resources = Record<string, { Type: string; Properties?: Record<string, unknown> }>;
const resourcesOf = (template: Template): Resources => (template.toJSON() as { Resources: Resources }).Resources;
const ofSandboxes = (template: Template): Resources =>
  Object.fromEntries(Object.entries(resourcesOf(template)).filter(([id]) => id.startsWith('Sandboxes')));

describe('the stack with sandboxes', () => {
  it('has what was reviewed beside the environment', () => {
    const template = templateFor(SANDBOXES);
    const { Resources, Outputs } = snapshotOf(template) as { Resources: object; Outputs: object };
    const sandboxes = (entries: object, prefix: string): object =>
      Object.fromEntries(Object.entries(entries).filter(([id]) => id.startsWith(prefix)));
    expect(sandboxes(Resources, 'Sandboxes')).toMatchSnapshot();
    expect(sandboxes(Outputs, 'Sandbox')).toMatchSnapshot();
  });

  it('is otherwise the stack without them, in a private network', () => {
    const without = resourcesOf(templateFor({ network: 'private-nat' }));
    const { ...rest } = resourcesOf(templateFor(SANDBOXES));
    for (const id of Object.keys(rest)) if (id.startsWith('Sandboxes')) delete rest[id];
    expect(rest).toEqual(without);
  });

  it('writes the outputs of the contract, and all of an environment', () => {
    const outputs = Object.keys(templateFor(SANDBOXES).toJSON().Outputs as object).sort();
    const known = [...Object.values(STACK_OUTPUTS), ...Object.values(SANDBOX_OUTPUTS)];
    expect(outputs).toEqual(known.filter((name) => name !== STACK_OUTPUTS.defaultMaxAge).sort());
  });
});

describe('a sandbox', () => {
  it('has no role, so no credentials', () => {
    const template = templateFor(SANDBOXES);
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      Family: 'mngr-sandbox',
      TaskRoleArn: Match.absent(),
      ExecutionRoleArn: Match.anyValue(),
      ContainerDefinitions: [Match.objectLike({ Name: 'agent', Environment: Match.absent(), Secrets: Match.absent() })],
    });
    const roles = Object.keys(ofSandboxes(template)).filter((id) => /Task.*Role/.test(id) && !/ExecutionRole/.test(id));
    expect(roles).toEqual([]);
  });

  it('gets no role by a grant either', () => {
    const { stack } = appFor(SANDBOXES);
    if (!(stack instanceof SandboxServiceStack)) throw new Error('the stack has no sandboxes');
    const { taskDefinition } = stack.sandboxes.taskDefinition;
    taskDefinition.addToTaskRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] }));
    const template = Template.fromStack(stack);
    expect(JSON.stringify(template.toJSON())).not.toContain('s3:GetObject');
    template.hasResourceProperties('AWS::ECS::TaskDefinition', { Family: 'mngr-sandbox', TaskRoleArn: Match.absent() });
  });

  it('can be entered by the service alone, from nowhere else and on no other port', () => {
    const template = templateFor(SANDBOXES);
    const resources = ofSandboxes(template);
    const groups = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::EC2::SecurityGroup');
    expect(groups).toHaveLength(2);
    const inbound = groups.flatMap(([id, { Properties }]) =>
      [Properties?.SecurityGroupIngress ?? []].flat().map((rule) => [id.replace(/[0-9A-F]{8}$/, ''), rule]),
    );
    expect(inbound).toEqual([
      [
        'SandboxesSandboxGroup',
        {
          Description: 'SSH from the sandbox service',
          IpProtocol: 'tcp',
          FromPort: 22,
          ToPort: 22,
          SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringMatching(/^SandboxesServiceGroup/), 'GroupId'] },
        },
      ],
    ]);
    expect(Object.values(resources).filter(({ Type }) => Type === 'AWS::EC2::SecurityGroupIngress')).toEqual([]);
  });

  it('has no public address', () => {
    templateFor(SANDBOXES).hasOutput(SANDBOX_OUTPUTS.providerBlock, {
      Value: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('assign_public_ip = false')])] },
    });
  });

  it('reaches HTTPS alone where the network has no way to the internet', () => {
    const template = templateFor(STACK_VARIANTS['sandboxes without a way to the internet'] as Record<string, string>);
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'Sandboxes, which only the sandbox service may enter',
      SecurityGroupEgress: [Match.objectLike({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 })],
    });
  });
});

describe("the service's policy", () => {
  interface Statement {
    readonly Sid: string;
    readonly Action: string | string[];
    readonly Resource: unknown;
    readonly Condition?: Record<string, unknown>;
  }
  const statements = (): Statement[] => {
    const [policy] = Object.values(ofSandboxes(templateFor(SANDBOXES))).filter(
      ({ Type }) => Type === 'AWS::IAM::ManagedPolicy',
    );
    return (policy?.Properties?.PolicyDocument as { Statement: Statement[] }).Statement;
  };

  it('has no wildcard in an action', () => {
    const actions = statements().flatMap(({ Action }) => Action);
    expect(actions.length).toBeGreaterThan(8);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('passes the execution role and no other', () => {
    const passing = statements().filter(({ Action }) => [Action].flat().includes('iam:PassRole'));
    expect(passing).toMatchObject([
      { Resource: { 'Fn::GetAtt': [expect.stringMatching(/^SandboxesTaskExecutionRole/), 'Arn'] } },
    ]);
  });

  it('starts tasks of the one family in the one cluster, and changes only those with its tag', () => {
    const by = (sid: string) => statements().find(({ Sid }) => Sid === sid);
    expect(by('RunSandboxes')?.Condition).toMatchObject({
      ArnEquals: { 'ecs:cluster': expect.anything() },
      StringEquals: { 'aws:RequestTag/mngr-environment': 'mngr-sandbox' },
    });
    expect(JSON.stringify(by('RunSandboxes')?.Resource)).toContain('task-definition/mngr-sandbox:*');
    expect(by('ManageSandboxes')?.Condition).toEqual({
      StringEquals: { 'aws:ResourceTag/mngr-environment': 'mngr-sandbox' },
    });
  });
});

describe('the context of sandboxes', () => {
  it.each([
    [{ sandboxCpu: '1024' }, 'sandboxCpu: has no effect without sandbox=true'],
    [
      { sandbox: 'true', network: 'public' },
      'network: sandboxes have no public address, so they need network=private-nat',
    ],
    [
      { sandbox: 'true', vpcId: 'vpc-0123456789abcdef0', subnetIds: 'subnet-0123456789abcdef0' },
      'network: sandboxes have no public address',
    ],
    [
      { sandbox: 'true', sandboxCpu: '512', sandboxMemory: '8192' },
      'sandboxMemory: memory 8192 MiB does not go with cpu 512',
    ],
    [{ sandbox: 'yes' }, 'sandbox: "yes" is neither true nor false'],
  ])('refuses %j', (context, problem) => {
    expect(() => appFor(context)).toThrow(problem);
  });
});
