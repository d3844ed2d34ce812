/**
 * Outputs of a stack that was deployed with `-c sandbox=true`, beside those of its environment. The sandbox service reads
 * them if nothing else is configured, and people copy them. Lists are comma-separated, numbers are decimal.
 */
export const SANDBOX_OUTPUTS = {
  /** ECS cluster of the sandboxes and of the service. */
  ecsCluster: 'SandboxCluster',
  /** The task definition's family. */
  taskDefinition: 'SandboxTaskDefinition',
  subnets: 'SandboxSubnets',
  /** Only what is in the group of `serviceSecurityGroup` may enter it. */
  securityGroups: 'SandboxSecurityGroups',
  containerName: 'SandboxContainerName',
  cpu: 'SandboxCpu',
  memory: 'SandboxMemory',
  logGroup: 'SandboxLogGroup',
  executionRoleArn: 'SandboxExecutionRoleArn',
  /** Policy of whoever runs a service for these sandboxes. */
  servicePolicyArn: 'SandboxServicePolicyArn',
  serviceSecurityGroup: 'SandboxServiceSecurityGroup',
  /** The complete `[providers.sandbox]` block. */
  providerBlock: 'SandboxProviderBlock',
} as const;

/** Outputs that are there only with `sandboxCertificateArn`, where the stack runs the service itself. */
export const SANDBOX_SERVICE_OUTPUTS = {
  /** `https://…` */
  url: 'SandboxUrl',
  /** Name of the load balancer in the DNS, for an alias or CNAME record of the certificate's name. */
  loadBalancerName: 'SandboxLoadBalancerName',
  /** Secrets Manager secret with the first key of the service. */
  keySecretArn: 'SandboxKeySecretArn',
  serviceName: 'SandboxServiceName',
  serviceLogGroup: 'SandboxServiceLogGroup',
} as const;
