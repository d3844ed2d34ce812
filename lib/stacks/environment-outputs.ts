import type { Stack } from 'aws-cdk-lib';
import { CfnOutput, Fn } from 'aws-cdk-lib';
import { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { AgentEnvironment } from '../constructs/environment/agent-environment';
import { AGENT_CONTAINER_NAME } from '../constructs/environment/host-definition';
import { STACK_OUTPUTS } from '../contract/outputs';
import { renderProviderBlock } from './provider-block';

type Outputs = { readonly [Key in keyof typeof STACK_OUTPUTS]: { value: string | undefined; description: string } };

/** What only those who use the environment need to know. */
export interface UserSettings {
  /** Profile named in the provider block. */
  readonly awsProfile?: string;
  /** Bastions on the way to the hosts. */
  readonly proxyJump?: string;
}

/** Writes every output of the contract. What is undefined is left out. */
export function addOutputs(stack: Stack, environment: AgentEnvironment, settings: UserSettings): void {
  for (const [key, { value, description }] of Object.entries(outputsOf(stack, environment, settings))) {
    if (value !== undefined) new CfnOutput(stack, STACK_OUTPUTS[key as keyof Outputs], { value, description });
  }
}

function outputsOf(stack: Stack, environment: AgentEnvironment, { awsProfile, proxyJump }: UserSettings): Outputs {
  const { network, cluster, taskDefinition, securityGroup, operator, image } = environment;
  const { logGroupName } = taskDefinition.logGroup;
  const architecture = taskDefinition.architecture === CpuArchitecture.ARM64 ? 'ARM64' : 'X86_64';
  const roleArn = operator.role.roleArn;
  const maxAge = environment.defaultMaxAgeSeconds;

  return {
    awsRegion: { value: stack.region, description: 'Region of the hosts' },
    ecsCluster: { value: cluster.clusterName, description: 'ECS cluster of the hosts' },
    taskDefinition: { value: taskDefinition.family, description: 'Task definition family of the hosts' },
    vpcId: { value: network.vpc.vpcId, description: 'VPC that hosts run in' },
    subnets: { value: Fn.join(',', network.subnetIds), description: 'Subnets that hosts run in' },
    securityGroups: { value: securityGroup.securityGroupId, description: 'Security group of the hosts' },
    assignPublicIp: { value: String(network.assignPublicIp), description: 'Whether hosts get a public IPv4 address' },
    containerName: { value: AGENT_CONTAINER_NAME, description: 'Container that runs sshd and the agents' },
    cpu: { value: String(taskDefinition.cpu), description: 'CPU units of a host' },
    memory: { value: String(taskDefinition.memoryLimitMiB), description: 'Memory of a host in MiB' },
    operatorRoleArn: { value: roleArn, description: 'Role to assume for launching hosts' },
    operatorPolicyArn: {
      value: operator.managedPolicy.managedPolicyArn,
      description: 'Policy to attach to whoever launches hosts without the operator role',
    },
    taskRoleArn: { value: taskDefinition.taskRole.roleArn, description: 'Role of programs on the hosts' },
    executionRoleArn: { value: taskDefinition.executionRole.roleArn, description: 'Role that ECS starts hosts with' },
    defaultIdleTimeout: {
      value: String(environment.defaultIdleTimeoutSeconds),
      description: 'Seconds without activity after which a host stops; 0 means never',
    },
    defaultMaxAge: {
      value: maxAge === undefined ? undefined : String(maxAge),
      description: 'Seconds after which a host is stopped whatever it does',
    },
    architecture: { value: architecture, description: 'CPU architecture of the hosts' },
    logGroup: { value: logGroupName, description: 'CloudWatch log group of the hosts' },
    proxyJump: { value: proxyJump, description: 'Bastions on the way to the hosts' },
    image: { value: image.imageUri, description: 'Container image of the hosts' },
    providerBlock: {
      value: renderProviderBlock({
        backend: 'fargate',
        aws_region: stack.region,
        ecs_cluster: cluster.clusterName,
        task_definition: taskDefinition.family,
        subnets: network.subnetIds,
        security_groups: [securityGroup.securityGroupId],
        assign_public_ip: network.assignPublicIp,
        container_name: AGENT_CONTAINER_NAME,
        cpu: taskDefinition.cpu,
        memory: taskDefinition.memoryLimitMiB,
        aws_profile: awsProfile,
        aws_role_arn: roleArn,
        default_idle_timeout: environment.defaultIdleTimeoutSeconds,
        default_max_age: maxAge,
      }),
      description: 'Paste this into ~/.mngr/config.toml',
    },
  };
}
