import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, CfnResource, Duration, Fn, Stack, Tags } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { context as featureFlags } from '../../../cdk.json';
import {
  AgentEnvironment,
  AgentImage,
  AgentNetwork,
  AgentTask,
  AgentTaskProvider,
  NetworkMode,
} from '../../../lib/constructs';
import type { AgentEnvironmentProps, AgentTaskProps } from '../../../lib/constructs';
import { generateKeyPair } from '../../../lib/ssh';
import { cfnLint } from '../../support/cdk/cfn-lint';
import { emptyStack, RegistryImage } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';
import { python } from '../../support/run/python-tools';
import { describeWith } from '../../support/run/requirements';
import { ENV } from '../../support/cdk/stack-variants';

/** Without this flag the CDK prints every warning. */
const QUIET = { ...featureFlags, '@aws-cdk/core:annotationsInValidationReport': false };
const KEYS = generateKeyPair('operator');
const ZONES = { availabilityZones: ['eu-central-1a', 'eu-central-1b'] };

const environmentIn = (stack: Stack, id = 'Agents', props: AgentEnvironmentProps = {}): AgentEnvironment =>
  new AgentEnvironment(stack, id, {
    image: new RegistryImage(stack, `${id}Image`),
    networkOptions: ZONES,
    ...props,
  });

const withTask = (props: Partial<AgentTaskProps> = {}) => {
  const stack = emptyStack();
  const environment = props.environment ?? environmentIn(stack);
  const task = new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey, ...props });
  return { stack, environment, task };
};

const resourceOf = (stack: Stack) => {
  const [resource] = Object.values(Template.fromStack(stack).findResources('Custom::MngrAgentTask'));
  return resource as { Properties: Record<string, unknown>; DependsOn: string[] };
};

describe('AgentTask', () => {
  it('says what the host is, and leaves out what it is not', () => {
    const { stack } = withTask();

    expect(resourceOf(stack).Properties).toEqual({
      ServiceToken: expect.anything(),
      ServiceTimeout: '3600',
      Owner: expect.stringMatching(/^Reviewer/),
      Cluster: { Ref: expect.stringMatching(/^AgentsCluster/) },
      TaskDefinition: { Ref: expect.stringMatching(/^AgentsTaskDefinition/) },
      ContainerName: 'agent',
      LogGroup: { Ref: expect.stringMatching(/^AgentsTaskLogs/) },
      Subnets: [expect.anything(), expect.anything()],
      SecurityGroups: [{ 'Fn::GetAtt': [expect.stringMatching(/^AgentsSsh/), 'GroupId'] }],
      AssignPublicIp: true,
      Provider: 'fargate',
      Name: 'reviewer',
      PublicKey: KEYS.publicKey,
      Cpu: 1024,
      Memory: 4096,
      Spot: false,
      IdleTimeout: 0,
      Timeout: 900,
    });
  });

  it('passes on what it was given', () => {
    const { stack } = withTask({
      command: ['claude', '--continue'],
      env: { REPOSITORY: 'https://example.com/r.git' },
      idleTimeout: Duration.hours(2),
      maxAge: Duration.days(1),
      cpu: 2048,
      memoryLimitMiB: 8192,
      ephemeralStorageGiB: 50,
      spot: true,
      tags: { team: 'a' },
      providerName: 'team',
      timeout: Duration.minutes(30),
    });

    expect(resourceOf(stack).Properties).toMatchObject({
      Command: ['claude', '--continue'],
      Env: { REPOSITORY: 'https://example.com/r.git' },
      IdleTimeout: 7200,
      MaxAge: 86_400,
      Cpu: 2048,
      Memory: 8192,
      EphemeralStorage: 50,
      Spot: true,
      Tags: { team: 'a' },
      Provider: 'team',
      Timeout: 1800,
    });
  });

  it('starts after the roles, routes and rules that it needs, and so ends before them', () => {
    const { DependsOn } = resourceOf(withTask().stack);

    for (const needed of [/TaskRoleDefaultPolicy/, /ExecutionRoleDefaultPolicy/, /DefaultRoute/, /^AgentsSshfrom/])
      expect(DependsOn).toContainEqual(expect.stringMatching(needed));
  });

  it('gives its attributes to the rest of the stack', () => {
    const { stack, task } = withTask();
    const { taskArn, hostId, publicAddress, privateAddress, address, port, hostKey, knownHosts } = task;
    const all = { taskArn, hostId, publicAddress, privateAddress, address, port, hostKey, knownHosts };

    const attribute = (name: string) => ({ 'Fn::GetAtt': [expect.stringMatching(/^Reviewer/), name] });
    expect(stack.resolve(all)).toEqual({
      taskArn: { Ref: expect.stringMatching(/^Reviewer/) },
      hostId: attribute('HostId'),
      publicAddress: attribute('PublicAddress'),
      privateAddress: attribute('PrivateAddress'),
      address: attribute('Address'),
      port: attribute('Port'),
      hostKey: attribute('HostKey'),
      knownHosts: attribute('KnownHosts'),
    });
  });

  it('shares the functions with the other hosts of the stack in the same environment, and with no others', () => {
    const { stack, environment } = withTask();
    const handlers = () => stack.node.findAll().filter((node) => node instanceof CfnFunction).length;
    const one = handlers();

    new AgentTask(stack, 'Second', { environment, name: 'second', publicKey: KEYS.publicKey });
    expect(handlers()).toBe(one);

    const other = environmentIn(stack, 'Others', { namePrefix: 'other' });
    new AgentTask(stack, 'Third', { environment: other, name: 'third', publicKey: KEYS.publicKey });
    expect(handlers()).toBe(2 * one);
  });

  it('may start and stop hosts of its own stack, and nothing else', () => {
    const template = Template.fromStack(withTask().stack);

    const onEvent = statementsIn(template, 'AWS::IAM::Policy', /OnEventRole/);
    const ours = { Ref: 'AWS::StackId' };
    expect(onEvent).toContainEqual(
      expect.objectContaining({
        Sid: 'StopHosts',
        Action: ['ecs:StopTask'],
        Condition: { StringEquals: { 'aws:ResourceTag/mngr-stack-id': ours } },
      }),
    );
    expect(onEvent).toContainEqual(
      expect.objectContaining({
        Sid: 'RunHosts',
        Condition: expect.objectContaining({ StringEquals: { 'aws:RequestTag/mngr-stack-id': ours } }),
      }),
    );
    const probe = statementsIn(template, 'AWS::IAM::Policy', /ProbeRole/).flatMap(({ Action }) => Action as string[]);
    expect(probe.filter((action) => !/^(logs|ec2):/.test(action))).toEqual([]);
  });

  it('lets the probe connect to port 22 of the hosts, and to nothing else', () => {
    const template = Template.fromStack(withTask().stack);
    const group = { 'Fn::GetAtt': [Match.stringLikeRegexp('ProbeSecurityGroup'), 'GroupId'] };

    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 22,
      ToPort: 22,
      SourceSecurityGroupId: group,
      GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^AgentsSsh'), 'GroupId'] },
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [
        Match.objectLike({
          IpProtocol: 'tcp',
          FromPort: 22,
          ToPort: 22,
          DestinationSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^AgentsSsh'), 'GroupId'] },
        }),
      ],
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      VpcConfig: { SecurityGroupIds: [group], SubnetIds: [Match.anyValue(), Match.anyValue()] },
    });
  });

  it('leaves the warning that nobody else can reach SSH', () => {
    const stack = emptyStack();
    const environment = environmentIn(stack, 'Agents', { sessionSsh: false });
    new AgentTask(stack, 'Task', { environment, name: 'reviewer', publicKey: KEYS.publicKey });

    Annotations.fromStack(stack).hasWarning('/Team/Agents/Ssh', Match.stringLikeRegexp('nobody can reach SSH'));
  });

  it('works from another stack than the environment’s', () => {
    const base = emptyStack();
    const environment = environmentIn(base);
    const team = new Stack(base.node.root, 'Reviews', { env: ENV });
    new AgentTask(team, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });

    const template = Template.fromStack(team);
    expect(team.dependencies).toContain(base);
    expect(base.dependencies).not.toContain(team);
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
  });

  it('works in a network that is known by its ids alone', () => {
    const stack = emptyStack();
    const network = AgentNetwork.fromAttributes(stack, 'Network', {
      vpcId: 'vpc-1',
      subnetIds: ['subnet-1'],
      mode: NetworkMode.PRIVATE_NAT,
    });
    const environment = new AgentEnvironment(stack, 'Agents', { network, image: new RegistryImage(stack, 'Image') });
    new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });

    expect(resourceOf(stack).Properties).toMatchObject({ Subnets: ['subnet-1'], AssignPublicIp: false });
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      VpcConfig: { SubnetIds: ['subnet-1'] },
    });
  });

  it.each<[string, Partial<AgentTaskProps>, RegExp]>([
    ['a name with a dot', { name: 'my.host' }, /"my\.host" is not a valid host name: use letters/],
    ['a private key', { publicKey: KEYS.privateKey }, /a private key was given, which must stay secret/],
    ['half a key', { publicKey: 'ssh-ed25519' }, /"ssh-ed25519" is not an OpenSSH public key/],
    ['a key with options', { authorizedKeys: [`command="x" ${KEYS.publicKey}`] }, /is not an OpenSSH public key/],
    ['a size that Fargate has not', { cpu: 1024, memoryLimitMiB: 512 }, /memory 512 MiB does not go with cpu 1024/],
    ['a disk that Fargate has not', { ephemeralStorageGiB: 500 }, /ephemeral storage of 500 GiB is not possible/],
    ['an age under a minute', { maxAge: Duration.seconds(5) }, /maxAge of 5 seconds is not possible: use 60 or more/],
    ['a fraction of a second', { idleTimeout: Duration.millis(1500) }, /idleTimeout of 1\.5 seconds is not possible/],
    ['a long timeout', { timeout: Duration.hours(2) }, /timeout of 7200 seconds is not possible: use 1 to 3300/],
    ['an empty command', { command: [] }, /the command is empty/],
    ['a reserved variable', { env: { MNGR_HOST_DIR: '/x' } }, /env MNGR_HOST_DIR is reserved/],
    ['a secret', { env: { GITHUB_TOKEN: 'x' } }, /env GITHUB_TOKEN looks like a secret.*environment's `secrets`/],
    ['a variable with a hyphen', { env: { 'A-B': 'x' } }, /"A-B" is not a valid name for an environment variable/],
    ['too long a command', { command: ['echo', 'x'.repeat(6000)] }, /command and env take \d+ characters/],
    ['a tag of ours', { tags: { 'mngr-host-id': 'x' } }, /tag mngr-host-id is reserved/],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, ''])) }, /50 tags are/],
    ['a wrong provider name', { providerName: 'a/b' }, /"a\/b" is not a valid provider name/],
  ])('refuses %s', (_, props, message) => {
    expect(() => withTask(props)).toThrow(message);
    expect(() => withTask(props)).toThrow(/^Team\/Reviewer: /);
  });

  it.each<[string, AgentEnvironmentProps, Partial<AgentTaskProps>]>([
    ['of its own', {}, { maxAge: Duration.days(1) }],
    ['of the environment’s', { defaultMaxAge: Duration.days(1) }, {}],
  ])('refuses an age limit %s where nothing enforces it', (_, environmentProps, props) => {
    const stack = emptyStack();
    const environment = environmentIn(stack, 'Agents', { ...environmentProps, reaper: false });

    expect(
      () => new AgentTask(stack, 'Reviewer', { environment, name: 'r', publicKey: KEYS.publicKey, ...props }),
    ).toThrow(/the environment has no reaper, which is what ends a host at its maximum age/);
  });

  it('tells all problems at once, and never a private key', () => {
    const refused = (): unknown => withTask({ name: '.', publicKey: KEYS.privateKey, command: [''] });

    expect(refused).toThrow(/is not a valid host name.*a private key was given.*the command is empty/s);
    expect(refused).not.toThrow(KEYS.privateKey.split('\n')[1]);
  });

  it('accepts values that are only known at deployment', () => {
    const { stack } = withTask({
      name: Fn.importValue('name'),
      publicKey: Fn.importValue('key'),
      env: { BUCKET: Fn.importValue('bucket'), DATABASE_SECRET_ARN: 'arn:aws:secretsmanager:::secret:db' },
      command: ['sh', '-c', Fn.importValue('command')],
      tags: { owner: Fn.importValue('owner') },
    });

    expect(resourceOf(stack).Properties).toMatchObject({ Name: { 'Fn::ImportValue': 'name' } });
  });

  it('refuses a provider of another environment', () => {
    const stack = emptyStack();
    const other = environmentIn(stack, 'Others', { namePrefix: 'other' });
    const resourceProvider = new AgentTaskProvider(stack, 'Provider', { environment: other });
    const environment = environmentIn(stack);

    expect(
      () => new AgentTask(stack, 'Reviewer', { environment, name: 'r', publicKey: KEYS.publicKey, resourceProvider }),
    ).toThrow(/resourceProvider is for environment Team\/Others, and the host is for Team\/Agents/);
  });

  it('is another resource with another provider, whose service token CloudFormation could not change', () => {
    const idsOf = (make: (stack: Stack) => Pick<AgentTaskProps, 'environment' | 'resourceProvider'>) => {
      const stack = emptyStack();
      new AgentTask(stack, 'Reviewer', { name: 'reviewer', publicKey: KEYS.publicKey, ...make(stack) });
      const resources = Template.fromStack(stack).findResources('Custom::MngrAgentTask');
      return Object.entries(resources).map(([id, { Properties }]) => ({
        id,
        owner: (Properties as { Owner: string }).Owner,
      }));
    };
    const [first] = idsOf((stack) => ({ environment: environmentIn(stack) }));
    const [same] = idsOf((stack) => ({ environment: environmentIn(stack) }));
    const [moved] = idsOf((stack) => ({ environment: environmentIn(stack, 'Others') }));
    const [ownProvider] = idsOf((stack) => {
      const environment = environmentIn(stack);
      return { environment, resourceProvider: new AgentTaskProvider(stack, 'Provider', { environment }) };
    });

    expect(same).toEqual(first);
    expect(new Set([first?.id, moved?.id, ownProvider?.id]).size).toBe(3);
    // The host's tag stays, so that the new one knows the old one as its own.
    expect(new Set([first?.owner, moved?.owner, ownProvider?.owner]).size).toBe(1);
  });

  it('can be ended in a cluster that an update has replaced', () => {
    const statements = statementsIn(
      Template.fromStack(withTask().stack),
      'AWS::IAM::Policy',
      /(OnEvent|IsComplete)Role/,
    );

    for (const sid of ['DescribeHosts', 'StopHosts']) {
      const [statement] = statements.filter(({ Sid }) => Sid === sid);
      expect(JSON.stringify(statement?.Resource)).toMatch(/:task\/\*/);
    }
  });

  it.each<[string, (stack: Stack) => void]>([
    [
      'a host in the scope of its environment',
      (stack) => {
        const environment = environmentIn(stack);
        new AgentTask(environment, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });
      },
    ],
    [
      'a rule for a host’s address',
      (stack) => {
        const environment = environmentIn(stack);
        const task = new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });
        environment.securityGroup.addIngressRule(Peer.ipv4(`${task.privateAddress}/32`), Port.tcp(8080));
      },
    ],
    [
      'a connection from a host’s address',
      (stack) => {
        const environment = environmentIn(stack);
        const task = new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });
        environment.connections.allowFrom(Peer.ipv4(`${task.privateAddress}/32`), Port.tcp(8080));
      },
    ],
  ])('can be deployed with %s: nothing waits for itself', (_, make) => {
    const stack = emptyStack();
    make(stack);

    // It refuses a template with a circle of dependencies.
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  it('has the tags of its stack, which its own override', () => {
    const { stack } = withTask({ tags: { team: 'a' } });
    Tags.of(stack).add('team', 'b');
    Tags.of(stack).add('cost-center', '4711');

    expect(resourceOf(stack).Properties.Tags).toEqual({ team: 'a', 'cost-center': '4711' });
  });

  it.each<[string, (stack: Stack) => void, RegExp]>([
    [
      'two hosts of one name',
      (stack) => {
        const environment = environmentIn(stack);
        for (const id of ['One', 'Two'])
          new AgentTask(stack, id, { environment, name: 'r', publicKey: KEYS.publicKey });
      },
      /\[Team\/One\] Team\/Two also has the name "r"/,
    ],
    [
      'a host in another region than its environment',
      (stack) => {
        const elsewhere = new Stack(stack.node.root, 'Elsewhere', { env: { ...ENV, region: 'us-east-1' } });
        const environment = environmentIn(stack);
        new AgentTask(elsewhere, 'One', { environment, name: 'r', publicKey: KEYS.publicKey });
      },
      /^Elsewhere\/One: the stack is in us-east-1, and environment Team\/Agents is in eu-central-1/,
    ],
    [
      'a provider of another stack',
      (stack) => {
        const other = new Stack(stack.node.root, 'Other', { env: ENV });
        const environment = environmentIn(stack);
        const resourceProvider = new AgentTaskProvider(other, 'Provider', { environment });
        new AgentTask(stack, 'One', { environment, name: 'r', publicKey: KEYS.publicKey, resourceProvider });
      },
      /resourceProvider is in stack Other, and may only manage that stack's hosts/,
    ],
  ])('refuses %s', (_, make, message) => {
    const stack = emptyStack();

    expect(() => {
      make(stack);
      Template.fromStack(stack);
    }).toThrow(message);
  });

  describe('of an environment in another stack, with the defaults of the CDK', () => {
    const synthesized = (image: string) => {
      const app = new App({ builtinCloudFormationValidation: false, analyticsReporting: false });
      const base = new Stack(app, 'Base', { env: ENV });
      const environment = new AgentEnvironment(base, 'Agents', {
        image: AgentImage.fromUri(base, 'Image', image),
        networkOptions: ZONES,
      });
      const team = new Stack(app, 'Reviews', { env: ENV });
      const task = new AgentTask(team, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });
      const reader = new Stack(app, 'Reader', { env: ENV });
      new CfnOutput(reader, 'Address', { value: task.address });
      return [base, team, reader].map((stack) => Template.fromStack(stack).toJSON() as { Outputs?: object });
    };

    it('has nothing exported that an update would have to change', () => {
      for (const template of synthesized('registry.example.com/agent:1')) {
        expect(JSON.stringify(template)).not.toMatch(/"Export"|Fn::ImportValue/);
      }
    });
  });

  describe('of an environment that is deployed already', () => {
    const publicKey = KEYS.publicKey;

    it('takes what the environment’s stack says at each deployment', () => {
      const stack = emptyStack();
      const environment = AgentEnvironment.fromStackOutputs(stack, 'Agents', { stackName: 'mngr-fargate' });
      new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey });

      const output = (name: string) => ({ 'Fn::GetStackOutput': { StackName: 'mngr-fargate', OutputName: name } });
      expect(resourceOf(stack).Properties).toMatchObject({
        Cluster: output('EcsCluster'),
        TaskDefinition: output('TaskDefinition'),
        Subnets: { 'Fn::Split': [',', output('Subnets')] },
        SecurityGroups: [output('SecurityGroups')],
        AssignPublicIp: output('AssignPublicIp'),
        Cpu: output('Cpu'),
        Memory: output('Memory'),
        LogGroup: output('LogGroup'),
      });
      expect(new AwsSolutionsChecks(stack, { verbose: true }).validateScope(stack).violations).toEqual([]);
    });

    it('takes attributes', () => {
      const stack = emptyStack();
      const environment = AgentEnvironment.fromAttributes(stack, 'Agents', {
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1'],
        networkMode: NetworkMode.PRIVATE_NAT,
        clusterName: 'team',
        taskDefinition: 'arn:aws:ecs:eu-central-1:123456789012:task-definition/team-task:7',
        securityGroupId: 'sg-1',
        logGroupName: 'logs',
        taskRoleArn: 'arn:aws:iam::123456789012:role/task',
        executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
        hasReaper: false,
      });
      new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey });
      const template = Template.fromStack(stack);

      expect(resourceOf(stack).Properties).toMatchObject({ Cluster: 'team', AssignPublicIp: false, Cpu: 1024 });
      const [run] = statementsIn(template, 'AWS::IAM::Policy', /OnEventRole/).filter(({ Sid }) => Sid === 'RunHosts');
      expect(JSON.stringify(run?.Resource)).toContain(':task-definition/team-task:*');
      expect(
        () => new AgentTask(stack, 'Old', { environment, name: 'old', publicKey, maxAge: Duration.days(1) }),
      ).toThrow(/has no reaper/);
    });
  });

  it('leaves nothing for cdk-nag to find', () => {
    const { stack } = withTask();

    expect(stack.node.findAll().filter(CfnResource.isCfnResource).length).toBeGreaterThan(30);
    expect(new AwsSolutionsChecks(stack, { verbose: true }).validateScope(stack).violations).toEqual([]);
  });

  describeWith(python, 'as a template', () => {
    it('leaves nothing for cfn-lint to find', async () => {
      const outdir = mkdtempSync(join(tmpdir(), 'mngr-fargate-agent-task-'));
      try {
        const app = new App({ context: QUIET, outdir, builtinCloudFormationValidation: false });
        const stack = new Stack(app, 'Team', { env: ENV });
        const environment = environmentIn(stack);
        new AgentTask(stack, 'Reviewer', { environment, name: 'reviewer', publicKey: KEYS.publicKey });
        app.synth();

        expect(await cfnLint(ENV.region, [join(outdir, 'Team.template.json')])).toEqual([]);
      } finally {
        rmSync(outdir, { recursive: true, force: true });
      }
    }, 300_000);
  });
});
