import { Match, Template } from 'aws-cdk-lib/assertions';
import { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { AgentTaskDefinitionProps } from '../../../lib/constructs';
import { AgentTaskDefinition } from '../../../lib/constructs';
import { emptyStack, RegistryImage } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';

const taskWith = (props: Partial<AgentTaskDefinitionProps> = {}) => {
  const stack = emptyStack();
  const task = new AgentTaskDefinition(stack, 'Task', { image: new RegistryImage(stack, 'Image'), ...props });
  return { stack, task };
};

describe('AgentTaskDefinition', () => {
  it('runs one container with sshd and a log', () => {
    Template.fromStack(taskWith().stack).hasResourceProperties('AWS::ECS::TaskDefinition', {
      Family: 'mngr-task',
      Cpu: '1024',
      Memory: '4096',
      NetworkMode: 'awsvpc',
      RequiresCompatibilities: ['FARGATE'],
      RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
      EphemeralStorage: Match.absent(),
      ContainerDefinitions: [
        {
          Name: 'agent',
          Essential: true,
          Image: 'registry.example.com/mngr/agent:1',
          StopTimeout: 30,
          // The image has an init. With one of ECS's, /proc/1/environ would have the boot nonce.
          LinuxParameters: Match.absent(),
          PortMappings: [{ ContainerPort: 22, Protocol: 'tcp', Name: 'ssh' }],
          LogConfiguration: {
            LogDriver: 'awslogs',
            Options: Match.objectLike({ 'awslogs-stream-prefix': 'host', 'awslogs-region': 'eu-central-1' }),
          },
          // Whoever may describe a task sees its environment.
          Environment: Match.absent(),
          Secrets: Match.absent(),
        },
      ],
    });
  });

  it('has the size, disk, architecture and log retention that were asked for', () => {
    const { stack } = taskWith({
      family: 'team-mngr-task',
      cpu: 8192,
      memoryLimitMiB: 32_768,
      ephemeralStorageGiB: 200,
      architecture: CpuArchitecture.ARM64,
      logRetention: RetentionDays.ONE_YEAR,
    });
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      Family: 'team-mngr-task',
      Cpu: '8192',
      Memory: '32768',
      EphemeralStorage: { SizeInGiB: 200 },
      RuntimePlatform: { CpuArchitecture: 'ARM64' },
    });
    template.hasResource('AWS::Logs::LogGroup', { Properties: { RetentionInDays: 365 }, DeletionPolicy: 'Delete' });
  });

  it.each([
    [{ cpu: 1000 }, 'cpu 1000 is not a Fargate size'],
    [{ cpu: 256, memoryLimitMiB: 4096 }, 'memory 4096 MiB does not go with cpu 256: use 512, 1024, 2048'],
    [
      { ephemeralStorageGiB: 201 },
      'ephemeral storage of 201 GiB is not possible: use 21 to 200, or leave it out for 20',
    ],
  ])('refuses %j, which Fargate lacks', (props, message) => {
    expect(() => taskWith(props)).toThrow(message);
  });
});

describe('the task role', () => {
  it('opens the channel of ECS Exec and may do nothing else', () => {
    const template = Template.fromStack(taskWith().stack);

    expect(statementsIn(template, 'AWS::IAM::Policy', /TaskRole/)).toEqual([
      expect.objectContaining({
        Action: [
          'ssmmessages:CreateControlChannel',
          'ssmmessages:CreateDataChannel',
          'ssmmessages:OpenControlChannel',
          'ssmmessages:OpenDataChannel',
        ],
        Resource: '*',
      }),
    ]);
  });

  it("is given to tasks of this account's ECS only", () => {
    Template.fromStack(taskWith().stack).hasResourceProperties('AWS::IAM::Role', {
      Description: 'Programs on mngr hosts',
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Effect: 'Allow',
            Principal: { Service: 'ecs-tasks.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': '123456789012' },
              ArnLike: { 'aws:SourceArn': 'arn:aws:ecs:eu-central-1:123456789012:*' },
            },
          },
        ],
      },
    });
  });

  it("may call Anthropic's models, straight or through an inference profile, once asked", () => {
    const statements = statementsIn(
      Template.fromStack(taskWith({ bedrock: true }).stack),
      'AWS::IAM::Policy',
      /TaskRole/,
    );

    expect(statements).toContainEqual(
      expect.objectContaining({
        Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
        Resource: [
          'arn:aws:bedrock:*:123456789012:inference-profile/*.anthropic.*',
          'arn:aws:bedrock:*::foundation-model/anthropic.*',
        ],
      }),
    );
  });

  it('may read the secrets that were named', () => {
    const stack = emptyStack();
    new AgentTaskDefinition(stack, 'Task', {
      image: new RegistryImage(stack, 'Image'),
      secrets: [Secret.fromSecretNameV2(stack, 'ApiKey', 'mngr/api-key')],
    });

    expect(statementsIn(Template.fromStack(stack), 'AWS::IAM::Policy', /TaskRole/)).toContainEqual(
      expect.objectContaining({
        Action: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
        Resource: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:mngr/api-key-??????',
      }),
    );
  });

  it('has the policies that were attached', () => {
    const stack = emptyStack();
    const arn = 'arn:aws:iam::123456789012:policy/team';
    new AgentTaskDefinition(stack, 'Task', {
      image: new RegistryImage(stack, 'Image'),
      taskRolePolicies: [ManagedPolicy.fromManagedPolicyArn(stack, 'Team', arn)],
    });

    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', { ManagedPolicyArns: [arn] });
  });

  it('is what a grant goes to', () => {
    const { stack, task } = taskWith();
    new Bucket(stack, 'Bucket').grantRead(task);

    expect(statementsIn(Template.fromStack(stack), 'AWS::IAM::Policy', /TaskRole/)).toContainEqual(
      expect.objectContaining({ Action: ['s3:GetBucket*', 's3:GetObject*', 's3:List*'] }),
    );
  });
});

describe('the execution role', () => {
  it('may write to the log group of the hosts, and pull nothing else', () => {
    const template = Template.fromStack(taskWith().stack);

    expect(statementsIn(template, 'AWS::IAM::Policy', /ExecutionRole/)).toEqual([
      expect.objectContaining({
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': [expect.stringMatching(/^TaskLogs/), 'Arn'] },
      }),
    ]);
  });
});
