import { STACK_REVISION_TAG } from '../../../lib/contract/tags';
import type { Assembly } from '../../../lib/local/template/assembly';
import type { TemplateResource } from '../../../lib/local/template/stack';

const ref = (name: string): object => ({ Ref: name });
const att = (name: string, attribute: string): object => ({ 'Fn::GetAtt': [name, attribute] });
const taskArn = {
  'Fn::Sub': [
    'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/${Cluster}/*',
    { Cluster: ref('Cluster') },
  ],
};
const onCluster = { ArnEquals: { 'ecs:cluster': att('Cluster', 'Arn') } };

const role = (principal: object, properties: object = {}): TemplateResource => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal }] },
    ...properties,
  },
});

/** A small stack of the kind that the product deploys, for tests of the endpoint alone. */
export const SMALL_ASSEMBLY: Assembly = {
  images: new Map([['abc123', { type: 'folder', path: '/nowhere/image' }]]),
  template: {
    Description: 'a small environment',
    Parameters: {
      BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
    },
    Resources: {
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
      SubnetA: {
        Type: 'AWS::EC2::Subnet',
        Properties: {
          VpcId: ref('Vpc'),
          CidrBlock: '10.0.0.0/24',
          AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
          MapPublicIpOnLaunch: true,
          Tags: [{ Key: 'Name', Value: 'a' }],
        },
      },
      SubnetB: {
        Type: 'AWS::EC2::Subnet',
        Properties: {
          VpcId: ref('Vpc'),
          CidrBlock: '10.0.1.0/24',
          AvailabilityZone: { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] },
        },
      },
      Ssh: {
        Type: 'AWS::EC2::SecurityGroup',
        Properties: {
          GroupDescription: 'SSH to the hosts',
          VpcId: ref('Vpc'),
          SecurityGroupIngress: [{ IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIp: '203.0.113.7/32' }],
        },
      },
      Cluster: {
        Type: 'AWS::ECS::Cluster',
        Properties: { ClusterName: 'mngr', ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }] },
      },
      Capacity: {
        Type: 'AWS::ECS::ClusterCapacityProviderAssociations',
        Properties: {
          Cluster: ref('Cluster'),
          CapacityProviders: ['FARGATE', 'FARGATE_SPOT'],
          DefaultCapacityProviderStrategy: [],
        },
      },
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/mngr/test', RetentionInDays: 30 } },
      TaskRole: role({ Service: 'ecs-tasks.amazonaws.com' }),
      ExecutionRole: role({ Service: 'ecs-tasks.amazonaws.com' }),
      OperatorRole: role(
        { AWS: { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' } },
        { ManagedPolicyArns: [ref('OperatorPolicy')] },
      ),
      OperatorPolicy: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: 'ecs:RunTask',
                Resource: {
                  'Fn::Sub': 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition/mngr-task:*',
                },
                Condition: onCluster,
              },
              {
                Effect: 'Allow',
                Action: 'iam:PassRole',
                Resource: [att('TaskRole', 'Arn'), att('ExecutionRole', 'Arn')],
                Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
              },
              { Effect: 'Allow', Action: ['ecs:StopTask', 'ecs:DescribeTasks', 'ecs:TagResource'], Resource: taskArn },
              { Effect: 'Allow', Action: 'ecs:ListTasks', Resource: '*', Condition: onCluster },
              { Effect: 'Allow', Action: 'ec2:DescribeNetworkInterfaces', Resource: '*' },
            ],
          },
        },
      },
      TaskDefinition: {
        Type: 'AWS::ECS::TaskDefinition',
        Properties: {
          Family: 'mngr-task',
          NetworkMode: 'awsvpc',
          RequiresCompatibilities: ['FARGATE'],
          Cpu: '1024',
          Memory: '4096',
          TaskRoleArn: att('TaskRole', 'Arn'),
          ExecutionRoleArn: att('ExecutionRole', 'Arn'),
          RuntimePlatform: { CpuArchitecture: 'X86_64', OperatingSystemFamily: 'LINUX' },
          Tags: [
            { Key: STACK_REVISION_TAG, Value: 'mngr-task' },
            { Key: 'team', Value: 'agents' },
          ],
          ContainerDefinitions: [
            {
              Name: 'agent',
              Essential: true,
              Image: { 'Fn::Sub': '${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/assets:abc123' },
              Environment: [{ Name: 'FROM_DEFINITION', Value: 'yes' }],
              PortMappings: [{ ContainerPort: 22, Protocol: 'tcp' }],
              StopTimeout: 60,
              LinuxParameters: { InitProcessEnabled: true },
              LogConfiguration: {
                LogDriver: 'awslogs',
                Options: {
                  'awslogs-group': ref('Logs'),
                  'awslogs-region': ref('AWS::Region'),
                  'awslogs-stream-prefix': 'agent',
                },
              },
            },
          ],
        },
      },
    },
    Outputs: {
      EcsCluster: { Value: ref('Cluster'), Description: 'name of the cluster' },
      TaskDefinition: { Value: 'mngr-task' },
      Subnets: { Value: { 'Fn::Join': [',', [ref('SubnetA'), ref('SubnetB')]] } },
      SecurityGroups: { Value: ref('Ssh') },
      OperatorRoleArn: {
        Value: att('OperatorRole', 'Arn'),
        Export: { Name: { 'Fn::Sub': '${AWS::StackName}-operator' } },
      },
      LogGroup: { Value: ref('Logs') },
      TaskDefinitionArn: { Value: ref('TaskDefinition') },
    },
  },
};
