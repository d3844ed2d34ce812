import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Cluster } from 'aws-cdk-lib/aws-ecs';
import { AccountPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { AgentEnvironmentProps } from '../../../lib/constructs';
import { AgentEnvironment, AgentImage, AgentNetwork, NetworkMode } from '../../../lib/constructs';
import { emptyStack, existingVpc, RegistryImage } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';

const ZONES = { availabilityZones: ['eu-central-1a', 'eu-central-1b'] };

const environmentWith = (props: AgentEnvironmentProps = {}) => {
  const stack = emptyStack();
  const image = new RegistryImage(stack, 'Image');
  const network = props.network === undefined ? { networkOptions: { ...ZONES, ...props.networkOptions } } : {};
  return { stack, environment: new AgentEnvironment(stack, 'Agents', { image, ...props, ...network }) };
};

describe('AgentEnvironment', () => {
  it('lets its hosts read a bucket that is granted to it', () => {
    const { stack, environment } = environmentWith();
    new Bucket(stack, 'Bucket').grantRead(environment);

    expect(statementsIn(Template.fromStack(stack), 'AWS::IAM::Policy', /AgentsTaskTaskRole/)).toContainEqual(
      expect.objectContaining({ Action: ['s3:GetBucket*', 's3:GetObject*', 's3:List*'] }),
    );
  });

  it('is connected by its security group, both ways', () => {
    const { stack, environment } = environmentWith();
    const database = new SecurityGroup(stack, 'Database', { vpc: environment.network.vpc });
    database.connections.allowFrom(environment, Port.tcp(5432), 'hosts query the database');
    environment.connections.allowFrom(database, Port.SSH, 'the bastion');
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 5432,
      SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^AgentsSsh'), 'GroupId'] },
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      FromPort: 22,
      GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^AgentsSsh'), 'GroupId'] },
    });
  });

  it('can be there twice in one stack, with a prefix', () => {
    const { stack } = environmentWith();
    new AgentEnvironment(stack, 'Second', {
      namePrefix: 'second',
      image: new RegistryImage(stack, 'SecondImage'),
      networkOptions: ZONES,
    });
    const template = Template.fromStack(stack);

    for (const ClusterName of ['mngr', 'second-mngr'])
      template.hasResourceProperties('AWS::ECS::Cluster', { ClusterName });
    for (const Family of ['mngr-task', 'second-mngr-task']) {
      template.hasResourceProperties('AWS::ECS::TaskDefinition', { Family });
    }
  });

  it('uses the parts that a team already has', () => {
    const stack = emptyStack();
    const vpc = existingVpc(stack);
    const environment = new AgentEnvironment(stack, 'Agents', {
      network: AgentNetwork.fromVpc(stack, 'Network', { vpc, mode: NetworkMode.PRIVATE_NAT }),
      cluster: Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'team', vpc }),
      securityGroup: SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1'),
      image: new RegistryImage(stack, 'Image'),
    });
    const template = Template.fromStack(stack);

    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::SecurityGroup', 'AWS::ECS::Cluster'])
      template.resourceCountIs(type, 0);
    expect(environment.network).toMatchObject({ subnetIds: ['subnet-c', 'subnet-d'], assignPublicIp: false });
    expect(environment.connections.securityGroups.map(({ securityGroupId }) => securityGroupId)).toEqual(['sg-1']);
    expect(statementsIn(template, 'AWS::IAM::ManagedPolicy').find(({ Sid }) => Sid === 'ManageHosts')).toMatchObject({
      Condition: { StringEquals: { 'aws:ResourceTag/mngr-environment': 'mngr-task' } },
    });
  });

  it('without internet reaches Secrets Manager and Bedrock when its hosts use them', () => {
    const services = (props: AgentEnvironmentProps): string => {
      const { stack } = environmentWith({ ...props, networkOptions: { mode: NetworkMode.PRIVATE_ENDPOINTS } });
      return JSON.stringify(Template.fromStack(stack).findResources('AWS::EC2::VPCEndpoint'));
    };
    const secretStack = emptyStack();
    const secrets = [Secret.fromSecretNameV2(secretStack, 'Secret', 'mngr/api-key')];

    expect(services({})).not.toMatch(/secretsmanager|bedrock/);
    expect(services({ bedrock: true })).toContain('bedrock-runtime');
    expect(services({ secrets })).toContain('secretsmanager');
  });

  it('lets a function launch hosts, and refuses principals without policies', () => {
    const { stack, environment } = environmentWith();
    const role = new Role(stack, 'Launcher', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    environment.grantLaunch(role);
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: Match.objectLike({
        Statement: [Match.objectLike({ Principal: { Service: 'lambda.amazonaws.com' } })],
      }),
      ManagedPolicyArns: [{ Ref: Match.stringLikeRegexp('OperatorPolicy') }],
    });
    expect(() => environment.grantLaunch(new AccountPrincipal('123456789012'))).toThrow(
      /Agents\/Operator: only a role/,
    );
  });

  it('has metrics for alarms of one’s own, if something writes them', () => {
    const { environment } = environmentWith({ namePrefix: 'team-a' });
    const metric = environment.metricHosts({ period: Duration.minutes(15) });
    expect(metric).toMatchObject({
      namespace: 'MngrFargate',
      metricName: 'Hosts',
      dimensions: { Family: 'team-a-mngr-task' },
      statistic: 'Maximum',
    });
    expect(metric.period.toMinutes()).toBe(15);
    expect(environment.metricHostStartFailures()).toMatchObject({ metricName: 'HostStartFailures', statistic: 'Sum' });
    expect(environment.metricCostPerDay()).toMatchObject({ metricName: 'CostPerDay' });
    expect(() => environmentWith({ reaper: false }).environment.metricHosts()).toThrow(/has no reaper/);
  });

  it('runs hosts with roles that a team already has', () => {
    const stack = emptyStack();
    const role = (name: string) => Role.fromRoleArn(stack, name, `arn:aws:iam::123456789012:role/${name}`);
    new AgentEnvironment(stack, 'Agents', {
      image: new RegistryImage(stack, 'Image'),
      networkOptions: ZONES,
      taskRole: role('programs'),
      executionRole: role('start'),
    });
    Template.fromStack(stack).hasResourceProperties('AWS::ECS::TaskDefinition', {
      TaskRoleArn: 'arn:aws:iam::123456789012:role/programs',
      ExecutionRoleArn: 'arn:aws:iam::123456789012:role/start',
    });
    expect(statementsIn(Template.fromStack(stack), 'AWS::IAM::ManagedPolicy')).toContainEqual(
      expect.objectContaining({
        Sid: 'PassHostRoles',
        Resource: ['arn:aws:iam::123456789012:role/programs', 'arn:aws:iam::123456789012:role/start'],
      }),
    );
  });

  it('says at synthesis, all at once and with its path, what would fail only later', () => {
    const stack = new Stack(new App(), 'Stack', { env: { account: '123456789012', region: 'eu-central-1' } });
    const alarmTopic = Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:us-east-1:123456789012:on-call');
    new AgentEnvironment(stack, 'One', {
      image: AgentImage.fromUri(stack, 'Hub', 'docker.io/team/agent:1'),
      networkOptions: { mode: NetworkMode.PRIVATE_ENDPOINTS },
      operations: { alarmTopic },
    });
    new AgentEnvironment(stack, 'Two', { image: new RegistryImage(stack, 'Image') });
    new AgentEnvironment(stack, 'Three', { image: new RegistryImage(stack, 'Third'), namePrefix: 'team-a' });

    const problems = (id: string): string => stack.node.findChild(id).node.validate().join('\n');
    expect(problems('One')).toMatch(
      /docker\.io\/team\/agent:1 can't be pulled .*\n.*topic is in us-east-1.*\nStack\/Two /,
    );
    expect(problems('Two')).toMatch(/^Stack\/One in the same stack has the same names \(mngr-task\)/);
    expect(problems('Three')).toBe('');
    expect(() => (stack.node.root as App).synth()).toThrow(/\[Stack\/One\][^]*\[Stack\/Two\]/);
  });

  it('has an idle timeout of an hour and no age limit, or what was asked for', () => {
    expect(environmentWith().environment).toMatchObject({
      defaultIdleTimeoutSeconds: 3600,
      defaultMaxAgeSeconds: undefined,
    });
    expect(
      environmentWith({ defaultIdleTimeout: Duration.seconds(0), defaultMaxAge: Duration.days(1) }).environment,
    ).toMatchObject({ defaultIdleTimeoutSeconds: 0, defaultMaxAgeSeconds: 86_400 });
  });

  it.each<[string, (stack: ReturnType<typeof emptyStack>) => AgentEnvironmentProps]>([
    [
      'network and networkOptions cannot be used together',
      (stack) => ({ network: AgentNetwork.fromVpc(stack, 'N', { vpc: existingVpc(stack) }), networkOptions: {} }),
    ],
    [
      'cluster and spot cannot be used together',
      (stack) => ({
        cluster: Cluster.fromClusterAttributes(stack, 'C', { clusterName: 'team', vpc: existingVpc(stack) }),
        spot: true,
      }),
    ],
    [
      'securityGroup and sshSources cannot be used together',
      (stack) => ({
        securityGroup: SecurityGroup.fromSecurityGroupId(stack, 'G', 'sg-1'),
        sshSources: ['203.0.113.7'],
      }),
    ],
    [
      'taskRole and bedrock cannot be used together',
      (stack) => ({ taskRole: Role.fromRoleArn(stack, 'R', 'arn:aws:iam::123456789012:role/r'), bedrock: true }),
    ],
    [
      'image and agents cannot be used together',
      (stack) => ({ image: new RegistryImage(stack, 'I'), agents: ['codex'] }),
    ],
    [
      'securityGroup needs network',
      (stack) => ({ securityGroup: SecurityGroup.fromSecurityGroupId(stack, 'G', 'sg-1') }),
    ],
    [
      'defaultMaxAge of 30 seconds is too short: use 60 seconds or more',
      () => ({ defaultMaxAge: Duration.seconds(30) }),
    ],
  ])('refuses props of which one would be dropped: %s', (message, props) => {
    const stack = emptyStack();

    expect(() => new AgentEnvironment(stack, 'Agents', props(stack))).toThrow(message);
  });
});
