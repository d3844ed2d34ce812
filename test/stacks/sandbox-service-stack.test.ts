import { Match, Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SANDBOX_OUTPUTS } from '../../lib/contract/sandbox-outputs';
import { STACK_OUTPUTS } from '../../lib/contract/outputs';
import { SandboxServiceStack } from '../../lib/stacks/sandbox-service-stack';
import { OPTIONAL_OUTPUTS } from '../support/assertions/optional-outputs';
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
    expect(outputs).toEqual(known.filter((name) => !OPTIONAL_OUTPUTS.has(name)).sort());
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

describe('images where only Amazon ECR is reached', () => {
  it.each(['sandboxImage', 'sandboxServiceImage'])('%s of another registry is refused', (key) => {
    const context = { ...STACK_VARIANTS['sandboxes without a way to the internet'], [key]: 'registry.example.com/a:1' };
    expect(() => synthesize(context)).toThrow("image registry.example.com/a:1 can't be pulled in a network with");
  });
});

describe('the service in the stack', () => {
  const SERVICE = STACK_VARIANTS['sandbox service'] as Record<string, string>;
  const template = (): Template => templateFor(SERVICE);

  it('has what was reviewed', () => {
    const { Resources, Outputs } = snapshotOf(template()) as { Resources: object; Outputs: object };
    const entries = Object.entries({ ...Resources, ...Outputs }).filter(([id]) =>
      /^Sandbox(Service|Url|Load|Key)/.test(id),
    );
    expect(Object.fromEntries(entries)).toMatchSnapshot();
  });

  it('is one task, and the old one stops before the new one starts', () => {
    template().hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 1,
      DeploymentConfiguration: {
        MinimumHealthyPercent: 0,
        MaximumPercent: 100,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      AvailabilityZoneRebalancing: 'DISABLED',
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
  });

  it('writes nothing but its database and /tmp, as nobody special, with secrets that no template shows', () => {
    template().hasResourceProperties('AWS::ECS::TaskDefinition', {
      Family: 'mngr-sandbox-service',
      ContainerDefinitions: [
        Match.objectLike({
          ReadonlyRootFilesystem: true,
          User: '1000:1000',
          Environment: Match.arrayWith([{ Name: 'SANDBOX_JOURNAL', Value: 'rollback' }]),
          Secrets: [
            { Name: 'SANDBOX_SECRET', ValueFrom: Match.anyValue() },
            { Name: 'SANDBOX_MASTER_SECRET', ValueFrom: Match.anyValue() },
          ],
        }),
      ],
      Volumes: [
        {
          Name: 'data',
          EFSVolumeConfiguration: Match.objectLike({
            TransitEncryption: 'ENABLED',
            AuthorizationConfig: { AccessPointId: Match.anyValue(), IAM: 'ENABLED' },
          }),
        },
        { Name: 'tmp' },
      ],
    });
  });

  it('speaks HTTPS alone, to those who may', () => {
    template().resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1);
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', { Port: 443, Protocol: 'HTTPS' });
    template().hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      Scheme: 'internet-facing',
      LoadBalancerAttributes: Match.arrayWith([
        { Key: 'idle_timeout.timeout_seconds', Value: '3600' },
        { Key: 'routing.http.drop_invalid_header_fields.enabled', Value: 'true' },
        { Key: 'access_logs.s3.enabled', Value: 'true' },
      ]),
    });
    template().hasResourceProperties('AWS::EC2::SecurityGroup', {
      GroupDescription: 'Load balancer of the sandbox service',
      SecurityGroupIngress: [Match.objectLike({ CidrIp: '203.0.113.0/24', FromPort: 443, ToPort: 443 })],
    });
    template().hasOutput('SandboxUrl', { Value: 'https://sandbox.example.com' });
  });

  it('is entered by the load balancer alone, and enters sandboxes alone with its database', () => {
    const rules = Object.values(resourcesOf(template())).filter(
      ({ Type }) => Type === 'AWS::EC2::SecurityGroupIngress',
    );
    const short = rules.map(({ Properties }) => [
      (Properties?.GroupId as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0]?.replace(/[0-9A-F]{8}$/, ''),
      Properties?.FromPort,
      (Properties?.SourceSecurityGroupId as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0]?.replace(/[0-9A-F]{8}$/, ''),
    ]);
    expect(short.sort()).toEqual([
      ['SandboxServiceDatabaseGroup', 2049, 'SandboxesServiceGroup'],
      ['SandboxesServiceGroup', 8080, 'SandboxServiceFrontGroup'],
    ]);
  });

  it('is internal where the network has no way to the internet', () => {
    templateFor(
      STACK_VARIANTS['sandboxes without a way to the internet'] as Record<string, string>,
    ).hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internal' });
  });

  it('has alarms where somebody is told, and none elsewhere', () => {
    const names = (context: Record<string, string>): unknown[] =>
      Object.values(templateFor(context).findResources('AWS::CloudWatch::Alarm')).flatMap(({ Properties }) => {
        const { AlarmName } = Properties as { AlarmName: string };
        return AlarmName.startsWith('mngr-sandbox-service-') ? [AlarmName.slice('mngr-sandbox-service-'.length)] : [];
      });
    expect(names(SERVICE).sort()).toEqual([
      'balancer-errors',
      'database-load',
      'memory',
      'no-task',
      'service-errors',
      'unhealthy',
    ]);
    const { alarmEmail, ...untold } = SERVICE;
    expect(alarmEmail).toBeDefined();
    expect(names(untold)).toEqual([]);
  });

  it.each([
    [{ sandbox: 'true', sandboxDomain: 'a.example.com' }, 'sandboxDomain: has no effect without sandboxCertificateArn'],
    [{ ...SERVICE, sandboxCidr: '' }, 'sandboxCidr: say who may reach the service'],
    [{ ...SERVICE, region: 'us-east-1' }, 'the certificate is in eu-central-1'],
    [{ ...SERVICE, maxAzs: '1' }, 'a load balancer needs two zones'],
    [
      { ...SERVICE, network: 'private-endpoints', sandboxInternal: 'false' },
      'sandboxInternal: with network=private-endpoints',
    ],
    [{ ...SERVICE, sandboxLoadBalancerSubnetIds: 'subnet-0123456789abcdef2,subnet-0123456789abcdef3' }, 'needs vpcId'],
    [
      { ...SERVICE, vpcId: 'vpc-0123456789abcdef0', subnetIds: 'subnet-0123456789abcdef0', network: 'private-nat' },
      'sandboxLoadBalancerSubnetIds: needed with vpcId',
    ],
    [{ ...SERVICE, sandboxCertificateArn: 'arn:aws:iam::123456789012:role/x' }, 'is not the ARN of a certificate'],
  ])('refuses %j', (context, problem) => {
    expect(() => appFor(context)).toThrow(problem);
  });
});
