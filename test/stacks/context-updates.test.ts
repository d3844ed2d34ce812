import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import type { ContextUpdate, Part } from '../../lib/stacks/context-updates';
import { CONTEXT_UPDATES, contextUpdateRows, PARTS } from '../../lib/stacks/context-updates';
import { appFor } from '../support/cdk/synthesized-app';
import type { CloudFormationTemplate } from '../support/cdk/template-changes';
import { templateChanges } from '../support/cdk/template-changes';
import { ROOT } from '../support/run/paths';

type Context = Readonly<Record<string, string>>;
type Key = keyof typeof CONTEXT_UPDATES;

const VPC = {
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
};
const TOLD = { alarmEmail: 'team@example.com' };
const BUDGET = { ...TOLD, monthlyBudgetUsd: '500' };
const SANDBOX = { network: 'private-nat', sandbox: 'true' };
const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/';
const SERVICE = {
  ...SANDBOX,
  sandboxCertificateArn: `${CERTIFICATE}one`,
  sandboxCidr: '203.0.113.0/24',
  sandboxServiceImage: 'registry.example.com/service:1',
};
const FRONT = { sandboxLoadBalancerSubnetIds: 'subnet-0123456789abcdef2,subnet-0123456789abcdef3' };
const ROLE = { operatorPrincipals: '210987654321' };

/** A change of one key each: the context before it, and what changes. Keys that name a stack have none. */
const CHANGES: Readonly<Partial<Record<Key, readonly [before: Context, change: Context]>>> = {
  namePrefix: [{ stackName: 'agents' }, { namePrefix: 'team-a' }],
  network: [{}, { network: 'private-endpoints' }],
  sshCidr: [{}, { sshCidr: '203.0.113.7/32' }],
  sessionSsh: [{}, { sessionSsh: 'false' }],
  securityGroupId: [VPC, { securityGroupId: 'sg-0123456789abcdef0' }],
  vpcCidr: [{}, { vpcCidr: '10.20.0.0/16' }],
  maxAzs: [{}, { maxAzs: '3' }],
  availabilityZones: [{}, { availabilityZones: 'eu-central-1a,eu-central-1c' }],
  natGateways: [{ network: 'private-nat' }, { natGateways: '2' }],
  flowLogs: [{}, { flowLogs: 'false' }],
  restrictDefaultSecurityGroup: [{}, { restrictDefaultSecurityGroup: 'true' }],
  vpcId: [{}, VPC],
  subnetIds: [VPC, { subnetIds: 'subnet-0123456789abcdef2' }],
  clusterName: [{}, { clusterName: 'team-cluster' }],
  spot: [{}, { spot: 'false' }],
  containerInsights: [{}, { containerInsights: 'disabled' }],
  architecture: [{}, { architecture: 'arm64' }],
  cpu: [{}, { cpu: '2048' }],
  memory: [{}, { memory: '8192' }],
  ephemeralStorage: [{}, { ephemeralStorage: '100' }],
  imageRepository: [{ imageRepository: 'mngr/agents:1' }, { imageRepository: 'mngr/agents:2' }],
  image: [{ image: 'registry.example.com/agent:1' }, { image: 'registry.example.com/agent:2' }],
  agents: [{}, { agents: 'codex' }],
  imageBuildArgs: [{}, { imageBuildArgs: 'BUILT=2026-11' }],
  logRetentionDays: [{}, { logRetentionDays: '30' }],
  defaultIdleTimeout: [{}, { defaultIdleTimeout: '600' }],
  defaultMaxAge: [{}, { defaultMaxAge: '86400' }],
  retainHosts: [{}, { retainHosts: 'true' }],
  taskRolePolicies: [{}, { taskRolePolicies: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }],
  bedrock: [{}, { bedrock: 'true' }],
  secrets: [{}, { secrets: 'mngr/api-key' }],
  operatorPrincipals: [{}, ROLE],
  operatorExternalId: [ROLE, { operatorExternalId: 'mngr-4711' }],
  operatorExec: [{}, { operatorExec: 'true' }],
  operatorShell: [{}, { operatorShell: 'true' }],
  execAudit: [{ execAudit: 'logs' }, { execAudit: 'bucket' }],
  reaper: [{}, { reaper: 'false' }],
  reaperInterval: [{}, { reaperInterval: '600' }],
  reaperDryRun: [{}, { reaperDryRun: 'true' }],
  reaperStopUntagged: [{}, { reaperStopUntagged: 'true' }],
  reaperExpiryGrace: [{}, { reaperExpiryGrace: '60' }],
  reaperReadyTimeout: [{}, { reaperReadyTimeout: '600' }],
  reaperRevisions: [{}, { reaperRevisions: 'false' }],
  alarmEmail: [TOLD, { alarmEmail: 'on-call@example.com' }],
  alarmTopicArn: [{}, { alarmTopicArn: 'arn:aws:sns:eu-central-1:123456789012:on-call' }],
  alarms: [BUDGET, { alarms: 'false' }],
  quotaAlarmPercent: [TOLD, { quotaAlarmPercent: '50' }],
  monthlyBudgetUsd: [BUDGET, { monthlyBudgetUsd: '250' }],
  budgetTag: [BUDGET, { budgetTag: 'team=search' }],
  dashboard: [{}, { dashboard: 'true' }],
  sandbox: [{ network: 'private-nat' }, { sandbox: 'true' }],
  sandboxImage: [
    { ...SANDBOX, sandboxImage: 'registry.example.com/sandbox:1' },
    { sandboxImage: 'registry.example.com/sandbox:2' },
  ],
  sandboxCpu: [{ ...SANDBOX, sandboxMemory: '2048' }, { sandboxCpu: '1024' }],
  sandboxMemory: [SANDBOX, { sandboxMemory: '2048' }],
  sandboxCertificateArn: [SERVICE, { sandboxCertificateArn: `${CERTIFICATE}two` }],
  sandboxCidr: [SERVICE, { sandboxCidr: '198.51.100.0/24' }],
  sandboxDomain: [SERVICE, { sandboxDomain: 'sandbox.example.com' }],
  sandboxInternal: [SERVICE, { sandboxInternal: 'true' }],
  sandboxLoadBalancerSubnetIds: [
    { ...SERVICE, ...VPC, ...FRONT },
    { sandboxLoadBalancerSubnetIds: 'subnet-0123456789abcdef4,subnet-0123456789abcdef5' },
  ],
  sandboxMaxSessions: [SERVICE, { sandboxMaxSessions: '200' }],
  sandboxDefaultTtl: [SERVICE, { sandboxDefaultTtl: '600' }],
  sandboxServiceImage: [SERVICE, { sandboxServiceImage: 'registry.example.com/service:2' }],
  awsProfile: [{}, { awsProfile: 'team' }],
  proxyJump: [{}, { proxyJump: 'gate.example.com' }],
  nagPacks: [{}, { nagPacks: 'none' }],
};

const templates = new Map<string, CloudFormationTemplate>();
function templateOf(context: Context): CloudFormationTemplate {
  const key = JSON.stringify(context);
  const template = templates.get(key) ?? (Template.fromStack(appFor(context).stack).toJSON() as CloudFormationTemplate);
  templates.set(key, template);
  return template;
}

const REVISION: Part = 'AWS::ECS::TaskDefinition';

/** The same as the declaration says it, from the two templates. */
function updateOf(before: CloudFormationTemplate, after: CloudFormationTemplate): ContextUpdate {
  const changes = templateChanges(before, after);
  const partsOf = (ids: readonly string[], { Resources }: CloudFormationTemplate): Part[] => {
    const types = new Set(ids.map((id) => Resources[id]?.Type));
    return (Object.keys(PARTS) as Part[]).filter((part) => types.has(part));
  };
  const deleted = partsOf(changes.deleted, before);
  const created = partsOf(changes.created, after);
  const replaces = [
    ...new Set([...partsOf(changes.replaced, after), ...created.filter((part) => deleted.includes(part))]),
  ];
  const removes = deleted.filter((part) => !created.includes(part));
  if (replaces.length === 1 && replaces[0] === REVISION) return { effect: 'revision' };
  if (replaces.length > 0) return { effect: 'replaces', replaces, ...(removes.length > 0 && { removes }) };
  if (removes.length > 0) return { effect: 'removes', removes };
  return { effect: Object.values(changes).some((ids) => ids.length > 0) ? 'in-place' : 'nothing' };
}

const sorted = ({ effect, replaces, removes }: ContextUpdate) => ({
  effect,
  replaces: [...(replaces ?? [])].sort(),
  removes: [...(removes ?? [])].sort(),
});

describe('updates of a deployed environment', () => {
  it.each(Object.entries(CHANGES))('%s does what the table says', (key, [before, change]) => {
    const update = updateOf(templateOf(before), templateOf({ ...before, ...change }));
    expect(sorted(update)).toEqual(sorted(CONTEXT_UPDATES[key as Key]));
  });

  it('every key has a change here, or is another stack', () => {
    const without = Object.entries(CONTEXT_UPDATES).filter(([key]) => !(key in CHANGES));
    expect(without.map(([, { effect }]) => effect)).toEqual(without.map(() => 'stack'));
  });

  it('keeps the subnets between a public network and one with NAT', () => {
    const changes = templateChanges(templateOf({}), templateOf({ network: 'private-nat' }));
    expect(changes).toMatchObject({ deleted: [], replaced: [] });
  });

  it('is in docs/configuration.md as the code has it', () => {
    const docs = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
    const [, table = ''] = /<!-- begin: updates.*-->([^]*)<!-- end: updates -->/.exec(docs) ?? [];
    const plain = (row: string): string => row.replaceAll(/\s+/g, ' ').replaceAll(/-{3,}/g, '---');
    expect(table.trim().split('\n').map(plain)).toEqual(contextUpdateRows().map(plain));
  });
});

describe('what a change of the template does', () => {
  const resource = (Type: string, Properties: Record<string, unknown>) => ({ Type, Properties });

  it('follows references from a replaced resource', () => {
    const template = (cidr: string): CloudFormationTemplate => ({
      Resources: {
        Vpc: resource('AWS::EC2::VPC', { CidrBlock: cidr }),
        Subnet: resource('AWS::EC2::Subnet', { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.0.0/24' }),
        Cluster: resource('AWS::ECS::Cluster', { Tags: [{ Key: 'vpc', Value: { 'Fn::Sub': '${Vpc}' } }] }),
      },
    });
    expect(templateChanges(template('10.0.0.0/16'), template('10.1.0.0/16'))).toEqual({
      created: [],
      deleted: [],
      replaced: ['Vpc', 'Subnet'],
      updated: ['Cluster'],
    });
  });
});
