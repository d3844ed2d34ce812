import type { Stack } from 'aws-cdk-lib';
import { CfnOutput, Fn } from 'aws-cdk-lib';
import { AGENT_CONTAINER_NAME } from '../constructs/environment/host-definition';
import type { SandboxEnvironment } from '../constructs/sandbox/sandbox-environment';
import type { SandboxService } from '../constructs/sandbox/sandbox-service';
import { SANDBOX_OUTPUTS, SANDBOX_SERVICE_OUTPUTS } from '../contract/sandbox-outputs';
import { renderProviderBlock } from './provider-block';

type Outputs = { readonly [Key in keyof typeof SANDBOX_OUTPUTS]: { value: string; description: string } };

/** Writes every output of the contract that is about sandboxes. */
export function addSandboxOutputs(stack: Stack, sandboxes: SandboxEnvironment): void {
  for (const [key, output] of Object.entries(outputsOf(stack, sandboxes)))
    new CfnOutput(stack, SANDBOX_OUTPUTS[key as keyof Outputs], output);
}

type ServiceOutputs = {
  readonly [Key in keyof typeof SANDBOX_SERVICE_OUTPUTS]: { value: string; description: string };
};

/** Writes every output of the contract that is about the service which the stack runs. */
export function addServiceOutputs(stack: Stack, service: SandboxService): void {
  const outputs: ServiceOutputs = {
    url: { value: service.url, description: 'The sandbox service' },
    loadBalancerName: {
      value: service.loadBalancer.loadBalancer.loadBalancerDnsName,
      description: 'Where the name of the sandbox service has to lead in the DNS',
    },
    keySecretArn: {
      value: service.keySecret.secretArn,
      description: 'Secret with the first key of the sandbox service',
    },
    serviceName: { value: service.service.serviceName, description: 'ECS service of the sandbox service' },
    serviceLogGroup: {
      value: service.logGroup.logGroupName,
      description: 'CloudWatch log group of the sandbox service',
    },
  };
  for (const [key, output] of Object.entries(outputs))
    new CfnOutput(stack, SANDBOX_SERVICE_OUTPUTS[key as keyof ServiceOutputs], output);
}

function outputsOf(stack: Stack, sandboxes: SandboxEnvironment): Outputs {
  const { network, cluster, taskDefinition, securityGroup, serviceSecurityGroup, servicePolicy } = sandboxes;
  const { family, cpu, memoryLimitMiB: memory, logGroupName } = taskDefinition;
  return {
    ecsCluster: { value: cluster.clusterName, description: 'ECS cluster of the sandboxes' },
    taskDefinition: { value: family, description: 'Task definition family of the sandboxes' },
    subnets: { value: Fn.join(',', network.subnetIds), description: 'Subnets that sandboxes run in' },
    securityGroups: { value: securityGroup.securityGroupId, description: 'Security group of the sandboxes' },
    containerName: { value: AGENT_CONTAINER_NAME, description: 'Container that runs the exec engine' },
    cpu: { value: String(cpu), description: 'CPU units of a sandbox' },
    memory: { value: String(memory), description: 'Memory of a sandbox in MiB' },
    logGroup: { value: logGroupName, description: 'CloudWatch log group of the sandboxes' },
    executionRoleArn: {
      value: taskDefinition.executionRole.roleArn,
      description: 'Role that ECS starts sandboxes with; sandboxes themselves have none',
    },
    servicePolicyArn: {
      value: servicePolicy.managedPolicyArn,
      description: 'Policy of whoever runs the sandbox service',
    },
    serviceSecurityGroup: {
      value: serviceSecurityGroup.securityGroupId,
      description: 'Security group that may enter sandboxes',
    },
    providerBlock: {
      value: renderProviderBlock(
        {
          backend: 'fargate',
          aws_region: stack.region,
          ecs_cluster: cluster.clusterName,
          task_definition: family,
          subnets: network.subnetIds,
          security_groups: [securityGroup.securityGroupId],
          assign_public_ip: false,
          container_name: AGENT_CONTAINER_NAME,
          cpu,
          memory,
          transport: 'direct',
        },
        'sandbox',
      ),
      description: 'What the sandbox service starts sandboxes with',
    },
  };
}
