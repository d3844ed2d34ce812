import type { CONTEXT_KEYS } from './context';

/** Parts of an environment that a user knows, by the type of their resources, as the table of docs/configuration.md names them. */
export const PARTS = {
  'AWS::EC2::VPC': 'the VPC',
  'AWS::EC2::Subnet': 'subnets',
  'AWS::EC2::SecurityGroup': "the hosts' security group",
  'AWS::ECS::Cluster': 'the cluster',
  'AWS::ECS::ClusterCapacityProviderAssociations': 'its link to Fargate Spot',
  'AWS::ECS::TaskDefinition': 'the task definition',
  'AWS::Logs::LogGroup': 'a log group',
  'AWS::ElasticLoadBalancingV2::LoadBalancer': 'the load balancer',
  'AWS::SNS::Subscription': 'the subscriptions',
} as const;

export type Part = keyof typeof PARTS;

/** What the deployment of another value of a context key does to an environment that is deployed already. */
export interface ContextUpdate {
  /**
   * - `in-place`: the parts stay, and change.
   * - `revision`: the task definition gets another revision, with which new hosts start. Running hosts stay as they are.
   * - `replaces`: the parts of `replaces` are made anew, and the old ones deleted.
   * - `removes`: parts of the environment are deleted, or added by the opposite change.
   * - `stack`: the key says which stack is deployed, so another value deploys another one beside the first.
   * - `nothing`: no resource changes.
   */
  readonly effect: 'in-place' | 'revision' | 'replaces' | 'removes' | 'stack' | 'nothing';
  /** For `replaces`: the parts that are made anew. */
  readonly replaces?: readonly Part[];
  /** For `replaces` and `removes`: the parts that are deleted, in one direction of the change. */
  readonly removes?: readonly Part[];
  /** What else a user should know. */
  readonly note?: string;
}

const HOSTS_FIRST = 'destroy the hosts first';
const SERVICE_STARTS_ANEW = 'the service starts anew, and sandboxes run on';

/** The one place that says how each context key updates. A test holds it against the templates and CloudFormation's specification. */
export const CONTEXT_UPDATES: Readonly<Record<(typeof CONTEXT_KEYS)[number], ContextUpdate>> = {
  namePrefix: {
    effect: 'replaces',
    replaces: ['AWS::ECS::Cluster', 'AWS::ECS::ClusterCapacityProviderAssociations', 'AWS::ECS::TaskDefinition'],
    note: `with the same \`stackName\`; without one it is another stack. ${HOSTS_FIRST}, and every \`AgentTask\` moves`,
  },
  stackName: { effect: 'stack' },
  account: { effect: 'stack' },
  region: { effect: 'stack' },

  network: {
    effect: 'replaces',
    replaces: ['AWS::EC2::Subnet'],
    note: `from or to \`private-endpoints\`: ${HOSTS_FIRST}. Between \`public\` and \`private-nat\` the subnets stay`,
  },
  sshCidr: { effect: 'in-place', note: 'at once, for running hosts too' },
  sessionSsh: { effect: 'in-place', note: 'at once, for running hosts too' },
  securityGroupId: {
    effect: 'removes',
    removes: ['AWS::EC2::SecurityGroup'],
    note: `running hosts keep the old group, which can't be deleted before: ${HOSTS_FIRST}`,
  },
  vpcCidr: {
    effect: 'replaces',
    replaces: ['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::SecurityGroup'],
    note: HOSTS_FIRST,
  },
  maxAzs: { effect: 'in-place', note: 'adds subnets, or deletes those of the last zones' },
  availabilityZones: {
    effect: 'replaces',
    replaces: ['AWS::EC2::Subnet'],
    note: `only those of zones that were counted before or are left out: ${HOSTS_FIRST}`,
  },
  natGateways: { effect: 'in-place', note: "private subnets' routes move to the new gateways" },
  flowLogs: { effect: 'removes', removes: ['AWS::Logs::LogGroup'], note: 'with what it holds' },
  restrictDefaultSecurityGroup: { effect: 'in-place' },
  vpcId: {
    effect: 'replaces',
    replaces: ['AWS::EC2::SecurityGroup'],
    removes: ['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::Logs::LogGroup'],
    note: HOSTS_FIRST,
  },
  subnetIds: { effect: 'nothing', note: 'new hosts start in the new subnets' },

  clusterName: {
    effect: 'removes',
    removes: ['AWS::ECS::Cluster', 'AWS::ECS::ClusterCapacityProviderAssociations', 'AWS::Logs::LogGroup'],
    note: `${HOSTS_FIRST}, and every \`AgentTask\` moves`,
  },
  spot: { effect: 'removes', removes: ['AWS::ECS::ClusterCapacityProviderAssociations'] },
  containerInsights: { effect: 'in-place' },
  architecture: { effect: 'revision' },
  cpu: { effect: 'revision' },
  memory: { effect: 'revision' },
  ephemeralStorage: { effect: 'revision' },
  image: { effect: 'revision' },
  imageRepository: {
    effect: 'revision',
    note: 'push the new tag first. Another name makes another, empty repository and deletes the old one with its images',
  },
  agents: { effect: 'revision' },
  imageBuildArgs: { effect: 'revision' },
  logRetentionDays: { effect: 'in-place', note: 'older events are deleted' },
  defaultIdleTimeout: { effect: 'nothing', note: 'an output, for new hosts' },
  defaultMaxAge: { effect: 'nothing', note: 'an output, for new hosts' },
  retainHosts: { effect: 'in-place' },

  taskRolePolicies: { effect: 'in-place', note: 'for running hosts too' },
  bedrock: { effect: 'in-place', note: 'for running hosts too' },
  secrets: { effect: 'in-place', note: 'for running hosts too' },
  operatorPrincipals: { effect: 'in-place' },
  operatorExternalId: { effect: 'in-place' },
  operatorExec: { effect: 'in-place', note: 'for running hosts too' },
  operatorShell: { effect: 'in-place' },
  execAudit: {
    effect: 'removes',
    removes: ['AWS::Logs::LogGroup'],
    note: 'the key and what was recorded are kept; running hosts record nothing before they start anew',
  },

  reaper: { effect: 'removes', removes: ['AWS::Logs::LogGroup'], note: 'with the reaper and what its log holds' },
  reaperInterval: { effect: 'in-place' },
  reaperDryRun: { effect: 'in-place' },
  reaperStopUntagged: { effect: 'in-place' },
  reaperExpiryGrace: { effect: 'in-place' },
  reaperReadyTimeout: { effect: 'in-place' },
  reaperRevisions: { effect: 'in-place' },

  alarmEmail: {
    effect: 'replaces',
    replaces: ['AWS::SNS::Subscription'],
    note: 'each new address must confirm; the first one also adds the alarms',
  },
  alarmTopicArn: { effect: 'in-place', note: 'adds or changes the alarms' },
  alarms: { effect: 'in-place', note: 'adds or deletes the alarms' },
  quotaAlarmPercent: { effect: 'in-place' },
  monthlyBudgetUsd: { effect: 'in-place' },
  budgetTag: { effect: 'in-place' },
  dashboard: { effect: 'in-place', note: 'adds or deletes the dashboard' },

  sandbox: {
    effect: 'in-place',
    note: 'adds or deletes all that is of sandboxes, and stops them first. Without `network`, the network gets or loses its private subnets and NAT gateway',
  },
  sandboxImage: { effect: 'revision' },
  sandboxCpu: { effect: 'revision' },
  sandboxMemory: { effect: 'revision' },
  sandboxCertificateArn: {
    effect: 'in-place',
    note: 'the first one adds the service, and none deletes it with its database',
  },
  sandboxCidr: { effect: 'in-place', note: 'at once' },
  sandboxDomain: { effect: 'nothing', note: 'an output' },
  sandboxInternal: {
    effect: 'replaces',
    replaces: ['AWS::ElasticLoadBalancingV2::LoadBalancer'],
    note: "the service's name in the DNS has to follow",
  },
  sandboxLoadBalancerSubnetIds: { effect: 'in-place' },
  sandboxMaxSessions: { effect: 'revision', note: SERVICE_STARTS_ANEW },
  sandboxDefaultTtl: { effect: 'revision', note: SERVICE_STARTS_ANEW },
  sandboxServiceImage: { effect: 'revision', note: SERVICE_STARTS_ANEW },

  awsProfile: { effect: 'nothing', note: 'an output' },
  proxyJump: { effect: 'nothing', note: 'an output' },
  nagPacks: { effect: 'nothing' },
};

/** The table's rows, as Markdown. The formatter sets the column widths. */
export function contextUpdateRows(): string[] {
  const rows = Object.entries(CONTEXT_UPDATES).map(([key, update]) => [
    `\`${key}\``,
    words(update),
    sentences(update.note ?? ''),
  ]);
  return [['Key', 'Another value', 'Note'], ['---', '---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

/** If a note has several sentences, each begins with a capital letter. */
const sentences = (note: string): string => note.replace(/\. [a-z]/g, (start) => start.toUpperCase());

function words({ effect, replaces = [], removes = [] }: ContextUpdate): string {
  switch (effect) {
    case 'in-place':
      return 'in place';
    case 'revision':
      return 'in place: a new revision for new hosts';
    case 'stack':
      return 'another stack';
    case 'nothing':
      return 'no resource changes';
    case 'removes':
      return `adds or deletes ${named(removes)}`;
    case 'replaces':
      return removes.length === 0
        ? `replaces ${named(replaces)}`
        : `replaces ${named(replaces)}; deletes ${named(removes)}`;
  }
}

function named(parts: readonly Part[]): string {
  const all = parts.map((part) => PARTS[part]);
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
