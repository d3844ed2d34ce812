import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnResource, Duration, Fn, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { context as featureFlags } from '../../../cdk.json';
import { AgentEnvironment, AgentNetwork, AgentTask, AgentTaskProvider, NetworkMode } from '../../../lib/constructs';
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

  it('lets the probe into port 22 of the hosts, and into nothing else', () => {
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
    const { stack } = withTask();

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
    ['a name with a dot', { name: 'my.host' }, /"my\.host" is no host name: use letters/],
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
    ['a secret', { env: { GITHUB_TOKEN: 'x' } }, /env GITHUB_TOKEN sounds like a secret.*environment's `secrets`/],
    ['a variable with a hyphen', { env: { 'A-B': 'x' } }, /"A-B" is not a valid name for an environment variable/],
    ['too long a command', { command: ['echo', 'x'.repeat(6000)] }, /command and env take \d+ characters/],
    ['a tag of ours', { tags: { 'mngr-host-id': 'x' } }, /tag mngr-host-id is reserved/],
    ['too many tags', { tags: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, ''])) }, /50 tags are/],
    ['a wrong provider name', { providerName: 'a/b' }, /"a\/b" is no provider name/],
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

    expect(refused).toThrow(/is no host name.*a private key was given.*the command is empty/s);
    expect(refused).not.toThrow(KEYS.privateKey.split('\n')[1]);
  });

  it('lets pass what only the deployment knows', () => {
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
