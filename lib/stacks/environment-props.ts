import type { Stack } from 'aws-cdk-lib';
import { Duration, Token } from 'aws-cdk-lib';
import { SecurityGroup, Vpc, InterfaceVpcEndpointAwsService } from 'aws-cdk-lib/aws-ec2';
import { ContainerInsights, CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { IPrincipal } from 'aws-cdk-lib/aws-iam';
import { AccountPrincipal, ArnPrincipal, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { AgentCluster } from '../constructs/environment/agent-cluster';
import type { AgentEnvironmentProps } from '../constructs/environment/agent-environment';
import { AgentImage } from '../constructs/environment/agent-image';
import { AgentImageRepository } from '../constructs/environment/agent-image-repository';
import type { AgentNetworkProps, IAgentNetwork } from '../constructs/environment/agent-network';
import { AgentNetwork } from '../constructs/environment/agent-network';
import type { ReaperOptions } from '../constructs/reaper/reaper';
import { MngrFargateError } from '../contract/errors';
import type { Settings } from './context';
import { operationsOptionsOf } from './operations-settings';
import { networkModeOf } from './sandbox-settings';

export const CONTAINER_INSIGHTS = {
  enabled: ContainerInsights.ENABLED,
  enhanced: ContainerInsights.ENHANCED,
  disabled: ContainerInsights.DISABLED,
} as const;

/** The construct props for these settings. Parts that already exist are imported into the stack. */
export function environmentPropsOf(stack: Stack, settings: Settings): AgentEnvironmentProps {
  const network = existingNetwork(stack, settings);
  const imported = <Value, Part>(value: Value | undefined, make: (value: Value) => Part): Part | undefined =>
    value === undefined ? undefined : make(value);

  return {
    namePrefix: settings.namePrefix,
    network,
    networkOptions: network === undefined ? networkOptions(settings) : undefined,
    cluster: imported(settings.clusterName, (name) => AgentCluster.fromClusterName(stack, 'ExistingCluster', name)),
    spot: settings.spot,
    containerInsights: imported(settings.containerInsights, (word) => CONTAINER_INSIGHTS[word]),
    securityGroup: imported(settings.securityGroupId, (securityGroupId) =>
      SecurityGroup.fromSecurityGroupId(stack, 'ExistingSecurityGroup', securityGroupId),
    ),
    sshSources: settings.sshCidr,
    sessionSsh: settings.sessionSsh,
    image:
      imported(settings.image, (uri) => AgentImage.fromUri(stack, 'ExistingImage', uri)) ??
      imported(settings.imageRepository, (nameAndTag) => ownRepository(stack, nameAndTag)),
    agents: settings.agents,
    imageBuildArgs: imported(settings.imageBuildArgs, buildArgsOf),
    architecture: settings.architecture === 'ARM64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
    cpu: settings.cpu,
    memoryLimitMiB: settings.memory,
    ephemeralStorageGiB: settings.ephemeralStorage,
    logRetention: settings.logRetentionDays,
    taskRolePolicies: settings.taskRolePolicies?.map((arn, index) =>
      ManagedPolicy.fromManagedPolicyArn(stack, `TaskRolePolicy${index}`, arn),
    ),
    bedrock: settings.bedrock,
    secrets: settings.secrets?.flatMap((nameOrArn, index) => existingSecrets(stack, `Secret${index}`, nameOrArn)),
    operatorPrincipals: settings.operatorPrincipals?.map(principalOf),
    operatorExternalId: settings.operatorExternalId,
    operatorExec: settings.operatorExec,
    operatorShell: settings.operatorShell,
    execAudit: settings.execAudit,
    defaultIdleTimeout: imported(settings.defaultIdleTimeout, (seconds) => Duration.seconds(seconds)),
    defaultMaxAge: imported(settings.defaultMaxAge, (seconds) => Duration.seconds(seconds)),
    retainHosts: settings.retainHosts,
    reaper: settings.reaper,
    reaperOptions: settings.reaper === false ? undefined : reaperOptions(settings),
    operations: operationsOptionsOf(stack, settings),
  };
}

function ownRepository(stack: Stack, nameAndTag: string): AgentImageRepository {
  const [repositoryName, tag = ''] = nameAndTag.split(':');
  return new AgentImageRepository(stack, 'ImageRepository', { repositoryName, tag });
}

export function reaperOptions(settings: Settings): ReaperOptions {
  const seconds = (value: number | undefined): Duration | undefined =>
    value === undefined ? undefined : Duration.seconds(value);
  return {
    interval: seconds(settings.reaperInterval),
    dryRun: settings.reaperDryRun,
    stopUntagged: settings.reaperStopUntagged,
    expiryGrace: seconds(settings.reaperExpiryGrace),
    readyTimeout: seconds(settings.reaperReadyTimeout),
    revisions: settings.reaperRevisions,
  };
}

function existingNetwork(stack: Stack, settings: Settings): IAgentNetwork | undefined {
  const { vpcId, subnetIds, network: mode } = settings;
  if (vpcId === undefined) return undefined;
  if (subnetIds !== undefined) {
    return AgentNetwork.fromAttributes(stack, 'ExistingNetwork', { vpcId, subnetIds, mode });
  }
  if (Token.isUnresolved(stack.account) || Token.isUnresolved(stack.region)) {
    throw new MngrFargateError(
      'usage',
      `the subnets of ${vpcId} can't be looked up without knowing where it is: ` +
        'give account and region, or give subnetIds, which needs no lookup',
    );
  }
  return AgentNetwork.fromVpc(stack, 'ExistingNetwork', { vpc: Vpc.fromLookup(stack, 'ExistingVpc', { vpcId }), mode });
}

const networkOptions = (settings: Settings): AgentNetworkProps => ({
  mode: networkModeOf(settings),
  vpcCidr: settings.vpcCidr,
  maxAzs: settings.maxAzs,
  availabilityZones: settings.availabilityZones,
  natGateways: settings.natGateways,
  flowLogs: settings.flowLogs,
  restrictDefaultSecurityGroup: settings.restrictDefaultSecurityGroup,
  endpoints: endpointsOf(settings),
});

/** What the sandbox service calls without a way to the internet, beside what every host does. */
const endpointsOf = ({ sandboxCertificateArn }: Settings): InterfaceVpcEndpointAwsService[] | undefined =>
  sandboxCertificateArn === undefined
    ? undefined
    : [
        InterfaceVpcEndpointAwsService.ECS,
        InterfaceVpcEndpointAwsService.EC2,
        InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      ];

export const buildArgsOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );

const principalOf = (accountOrArn: string): IPrincipal =>
  accountOrArn.startsWith('arn:') ? new ArnPrincipal(accountOrArn) : new AccountPrincipal(accountOrArn);

/**
 * A complete ARN ends in `-` and six characters that Secrets Manager made up. So does the name `prod/api-secret`, and
 * nothing distinguishes the two: such an ARN is allowed in both readings.
 */
function existingSecrets(stack: Stack, id: string, nameOrArn: string): ISecret[] {
  if (!nameOrArn.startsWith('arn:')) return [Secret.fromSecretNameV2(stack, id, nameOrArn)];
  if (!/-[A-Za-z0-9]{6}$/.test(nameOrArn)) return [Secret.fromSecretPartialArn(stack, id, nameOrArn)];
  return [
    Secret.fromSecretCompleteArn(stack, id, nameOrArn),
    Secret.fromSecretPartialArn(stack, `${id}ByName`, nameOrArn),
  ];
}
