/**
 * The environments that the template tests look at: one a feature that changes the template. Each is the context that
 * a person would give with `-c`. Account and region are fixed, so that snapshots hold on every machine.
 */
export const ENV = { account: '123456789012', region: 'eu-central-1' } as const;

const SANDBOX_SERVICE = {
  sandbox: 'true',
  sandboxCertificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef',
  sandboxCidr: '203.0.113.0/24',
  sandboxServiceImage: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/sandbox-service:1',
} as const;

const IMAGE = 'registry.example.com/mngr/agent:1';

export const STACK_VARIANTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  default: {},
  'environment-agnostic': { account: '', region: '' },
  'ssh from several networks': { sshCidr: '203.0.113.7,198.51.100.0/24,2001:db8::/48', sessionSsh: 'true' },
  'nobody reaches SSH': { sessionSsh: 'false' },
  'ssh from the world': { sshCidr: '0.0.0.0/0,::/0' },
  'private network with NAT': { network: 'private-nat', natGateways: '2' },
  'private network with endpoints': {
    network: 'private-endpoints',
    bedrock: 'true',
    secrets: 'mngr/api-key',
    restrictDefaultSecurityGroup: 'true',
  },
  'existing network and cluster': {
    vpcId: 'vpc-0123456789abcdef0',
    subnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
    securityGroupId: 'sg-0123456789abcdef0',
    clusterName: 'team-cluster',
  },
  'every size and limit': {
    namePrefix: 'team-a',
    sshCidr: '203.0.113.7/32',
    vpcCidr: '10.20.0.0/20',
    availabilityZones: 'eu-central-1a,eu-central-1b,eu-central-1c',
    architecture: 'arm64',
    cpu: '4096',
    memory: '16384',
    ephemeralStorage: '100',
    flowLogs: 'false',
    spot: 'false',
    containerInsights: 'disabled',
    agents: 'claude-code,codex',
    logRetentionDays: '90',
    defaultIdleTimeout: '600',
    defaultMaxAge: '86400',
    awsProfile: 'team-a',
  },
  'permissions by name': {
    image: '210987654321.dkr.ecr.eu-central-1.amazonaws.com/team/agent:7',
    bedrock: 'true',
    secrets:
      'mngr/api-key,arn:aws:secretsmanager:eu-central-1:123456789012:secret:git-token-AbC123,arn:aws:secretsmanager:eu-central-1:123456789012:secret:other',
    taskRolePolicies: 'arn:aws:iam::aws:policy/ReadOnlyAccess,arn:aws:iam::123456789012:policy/team',
    operatorPrincipals: '210987654321,arn:aws:iam::123456789012:role/developers',
    operatorExternalId: 'mngr-4711',
    operatorExec: 'true',
    operatorShell: 'true',
    execAudit: 'both',
  },
  'dashboard, alarms and budget': {
    dashboard: 'true',
    alarmEmail: 'team@example.com,on-call@example.com',
    quotaAlarmPercent: '90',
    monthlyBudgetUsd: '500',
    budgetTag: 'team=search',
  },
  'alarms to an existing topic': {
    account: '',
    region: '',
    spot: 'false',
    reaperInterval: '3600',
    dashboard: 'true',
    alarmTopicArn: 'arn:aws:sns:eu-central-1:123456789012:on-call',
    monthlyBudgetUsd: '250',
  },
  sandboxes: { sandbox: 'true' },
  'sandbox service': { ...SANDBOX_SERVICE, alarmEmail: 'team@example.com', sandboxDomain: 'sandbox.example.com' },
  'sandboxes without a way to the internet': {
    ...SANDBOX_SERVICE,
    network: 'private-endpoints',
    namePrefix: 'team-a',
    sandboxCpu: '1024',
    sandboxMemory: '2048',
    architecture: 'arm64',
  },
  'sandboxes in an existing network': {
    account: '',
    region: '',
    ...SANDBOX_SERVICE,
    sandboxCidr: '0.0.0.0/0,2001:db8::/48',
    sandboxLoadBalancerSubnetIds: 'subnet-0123456789abcdef2,subnet-0123456789abcdef3',
    sandboxMaxSessions: '200',
    sandboxDefaultTtl: '600',
    network: 'private-nat',
    vpcId: 'vpc-0123456789abcdef0',
    subnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
    reaper: 'false',
    sandboxImage: '210987654321.dkr.ecr.eu-central-1.amazonaws.com/team/sandbox:7',
  },
  'given image': { image: IMAGE },
};
