import * as z from 'zod';
import { NetworkMode } from '../constructs/environment/agent-network';
import { vpcCidrProblem } from '../constructs/environment/cidr';
import { ExecAuditDestination } from '../constructs/exec/exec-audit';
import { MngrFargateError } from '../contract/errors';
import { EPHEMERAL_STORAGE, ephemeralStorageProblem, fargateSizeProblem } from '../contract/fargate-sizes';
import { cidr, flag, imageReference, listOf, oneOf, subnetId, text, textLike, wholeNumber } from './context-values';
import { parseProxyJump, PROXY_JUMP_FORM } from '../contract/proxy-jump';
import { LOG_RETENTION_DAYS } from './log-retention';
import { NAG_PACK_NAMES } from './nag-packs';
import { nearest } from '../util/nearest';
import { regionProblem } from './region';
import { OPERATIONS_SETTINGS, operationsContradictions } from './operations-settings';
import { networkModeOf, SANDBOX_SETTINGS, sandboxContradictions } from './sandbox-settings';

const SECONDS_PER_DAY = 86_400;
const SECONDS_PER_YEAR = 31_536_000;

const vpcCidr = text.superRefine((value, context) => {
  const problem = vpcCidrProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const arn = (service: string, what: string) =>
  textLike(new RegExp(`^arn:[\\w-]+:${service}:.+$`), `the ARN of ${what}`);

const SETTINGS = {
  namePrefix: textLike(
    /^[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]$/,
    'a name prefix: use 2 to 32 letters, digits and hyphens, a letter first, no hyphen last',
  ),
  stackName: textLike(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'a stack name: use letters, digits and hyphens, a letter first'),
  account: textLike(/^\d{12}$/, 'an AWS account id: use its 12 digits'),
  region: text.superRefine((value, context) => {
    const problem = regionProblem(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  }),

  network: oneOf(Object.values(NetworkMode) as [NetworkMode, ...NetworkMode[]]),
  vpcId: textLike(/^vpc-[0-9a-f]{8,17}$/, 'a VPC id: use vpc- and hexadecimal digits'),
  subnetIds: listOf(subnetId),
  vpcCidr,
  maxAzs: wholeNumber(1, 6),
  availabilityZones: listOf(
    textLike(/^[a-z]{2,4}(-[a-z0-9]+)+[a-z]$/, 'an availability zone: use its name, for example us-east-1a'),
  ),
  natGateways: wholeNumber(1, 6),
  flowLogs: flag,
  restrictDefaultSecurityGroup: flag,
  sshCidr: listOf(cidr),
  sessionSsh: flag,
  securityGroupId: textLike(/^sg-[0-9a-f]{8,17}$/, 'a security group id: use sg- and hexadecimal digits'),

  clusterName: textLike(
    /^[A-Za-z0-9_-]{1,255}$/,
    'the name of an ECS cluster: use letters, digits, hyphens and underscores',
  ),
  spot: flag,
  containerInsights: oneOf(['enabled', 'enhanced', 'disabled']),

  architecture: z
    .string()
    .transform((value) => value.toUpperCase())
    .pipe(oneOf(['X86_64', 'ARM64'])),
  cpu: wholeNumber(256, 16_384),
  memory: wholeNumber(512, 122_880),
  ephemeralStorage: wholeNumber(EPHEMERAL_STORAGE.included, EPHEMERAL_STORAGE.max),
  image: imageReference,
  imageRepository: textLike(
    /^[a-z0-9]+(?:[._/-][a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/,
    'a repository and a tag: use NAME:TAG, for example mngr/agents:1; ECR takes lower case in names',
  ),
  agents: listOf(textLike(/^[a-z0-9][a-z0-9.@/_-]*$/, 'the name of a coding agent, for example claude-code')),
  imageBuildArgs: listOf(textLike(/^[A-Za-z_][A-Za-z0-9_]*=.*$/, 'a build argument: use NAME=value')),
  logRetentionDays: wholeNumber(1, 3653).refine((days) => LOG_RETENTION_DAYS.includes(days), {
    error: (issue) =>
      `CloudWatch Logs can't keep logs for ${String(issue.input)} days: use one of ${LOG_RETENTION_DAYS.join(', ')}`,
  }),

  taskRolePolicies: listOf(arn('iam', 'an IAM managed policy')),
  bedrock: flag,
  secrets: listOf(
    textLike(/^(arn:[\w-]+:secretsmanager:[^:]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@-]+$/, 'the name or ARN of a secret'),
  ),
  operatorPrincipals: listOf(
    textLike(/^(\d{12}|arn:[\w-]+:(iam|sts)::\d{12}:.+)$/, 'an account id or the ARN of a role or user'),
  ),
  operatorExec: flag,
  operatorShell: flag,
  execAudit: oneOf(Object.values(ExecAuditDestination) as [ExecAuditDestination, ...ExecAuditDestination[]]),
  operatorExternalId: textLike(/^[\w+=,.@:/-]{2,1224}$/, 'an external id: use 2 to 1224 letters, digits and +=,.@:/-'),

  defaultIdleTimeout: wholeNumber(0, SECONDS_PER_YEAR),
  defaultMaxAge: wholeNumber(60, SECONDS_PER_YEAR),
  retainHosts: flag,
  awsProfile: text,
  proxyJump: text.superRefine((value, context) => {
    if (parseProxyJump(value) !== undefined) return;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is no bastion: it ${PROXY_JUMP_FORM}` });
  }),

  reaper: flag,
  reaperInterval: wholeNumber(60, SECONDS_PER_DAY).refine((seconds) => seconds % 60 === 0, {
    error: (issue) => `${String(issue.input)} seconds is not a whole number of minutes, which a schedule needs`,
  }),
  reaperDryRun: flag,
  reaperStopUntagged: flag,
  reaperExpiryGrace: wholeNumber(0, SECONDS_PER_DAY),
  reaperReadyTimeout: wholeNumber(60, SECONDS_PER_YEAR),
  reaperRevisions: flag,

  ...OPERATIONS_SETTINGS,

  ...SANDBOX_SETTINGS,

  nagPacks: listOf(oneOf(['none', ...NAG_PACK_NAMES])),
} as const;

/** Every context key of the app, in the order of docs/configuration.md. */
export const CONTEXT_KEYS = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];

type Shape = { [Key in keyof typeof SETTINGS]: z.ZodOptional<(typeof SETTINGS)[Key]> };

const settingsSchema = z.object(
  Object.fromEntries(Object.entries(SETTINGS).map(([key, value]) => [key, value.optional()])) as Shape,
);

/** The settings of one environment, checked. A key that was not given is undefined; defaults are the constructs'. */
export type Settings = z.output<typeof settingsSchema>;

/** Keys that say something about a part which the first key replaces. */
const REPLACES: readonly (readonly [keyof Settings, readonly (keyof Settings)[]])[] = [
  ['vpcId', ['vpcCidr', 'maxAzs', 'availabilityZones', 'natGateways', 'flowLogs', 'restrictDefaultSecurityGroup']],
  ['availabilityZones', ['maxAzs']],
  ['clusterName', ['spot', 'containerInsights', 'execAudit']],
  ['securityGroupId', ['sshCidr']],
  ['image', ['agents', 'imageBuildArgs', 'imageRepository']],
  ['imageRepository', ['agents', 'imageBuildArgs']],
];

/** Keys that say how the reaper works. */
const REAPER_KEYS = [
  'reaperInterval',
  'reaperDryRun',
  'reaperStopUntagged',
  'reaperExpiryGrace',
  'reaperReadyTimeout',
  'reaperRevisions',
] as const satisfies readonly (keyof Settings)[];

/** Problems of combined settings; each line starts with the key that it is about. */
function* contradictions(settings: Settings): Generator<string> {
  for (const [key, others] of REPLACES) {
    for (const other of others) {
      if (settings[key] !== undefined && settings[other] !== undefined) {
        yield `${other}: has no effect together with ${key}: leave one of them out`;
      }
    }
  }
  if (settings.securityGroupId !== undefined && settings.vpcId === undefined) {
    yield 'securityGroupId: needs vpcId, the VPC that the group is in';
  }
  const { region } = settings;
  for (const zone of settings.availabilityZones ?? []) {
    if (region !== undefined && !zone.startsWith(region)) yield `availabilityZones: ${zone} is not in region ${region}`;
  }
  if (settings.subnetIds !== undefined && settings.vpcId === undefined) {
    yield 'subnetIds: needs vpcId, the VPC that the subnets are in';
  }
  if (settings.natGateways !== undefined && networkModeOf(settings) !== NetworkMode.PRIVATE_NAT) {
    yield `natGateways: has no effect without network=${NetworkMode.PRIVATE_NAT}`;
  }
  if (settings.reaper === false) {
    for (const key of REAPER_KEYS) {
      if (settings[key] !== undefined) yield `${key}: has no effect with reaper=false: leave one of them out`;
    }
  }
  yield* operationsContradictions(settings);
  yield* sandboxContradictions(settings);
  if (settings.nagPacks?.includes('none') === true && settings.nagPacks.length > 1) {
    yield 'nagPacks: none cannot be combined with another pack';
  }
  const size = fargateSizeProblem(settings.cpu ?? 1024, settings.memory ?? 4096);
  if (size !== undefined) yield size;
  const storage = ephemeralStorageProblem(settings.ephemeralStorage ?? EPHEMERAL_STORAGE.included);
  if (storage !== undefined) yield storage;
}

/**
 * Context that belongs to the CDK itself: feature flags (`@aws-cdk/…`), switches of the CLI (`aws:cdk:…`, `cli-…`) and
 * results of lookups (`vpc-provider:account=…`, `availability-zones:…`).
 */
const isCdkContext = (key: string): boolean =>
  /^(@|aws-cdk|cdk-|cli-)/.test(key) ||
  key.includes(':') ||
  key === 'acknowledged-issue-numbers' ||
  key === 'target-partitions';

/**
 * Reads the app's context. Everything that is wrong is reported at once.
 *
 * @throws MngrFargateError `usage`, with one line for each problem
 */
export function readSettings(context: Readonly<Record<string, unknown>>): Settings {
  const own = Object.fromEntries(Object.entries(context).filter(([key]) => !isCdkContext(key)));
  const unknown = Object.keys(own).filter((key) => !(CONTEXT_KEYS as string[]).includes(key));
  const problems = unknown.map((key) => {
    const meant = nearest(key, CONTEXT_KEYS);
    return `${key}: no such key${meant === undefined ? '' : `, did you mean ${meant}?`}`;
  });

  const result = settingsSchema.safeParse(own);
  if (!result.success) {
    problems.push(...result.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`));
  } else {
    problems.push(...contradictions(result.data));
    if (problems.length === 0) return result.data;
  }
  const allowed = unknown.length === 0 ? '' : `\nallowed keys: ${CONTEXT_KEYS.join(', ')}`;
  throw new MngrFargateError(
    'usage',
    `the context is not valid:\n${problems.map((line) => `  - ${line}`).join('\n')}${allowed}`,
    {
      hint: 'docs/configuration.md lists every key with its form and default',
      details: { problems },
    },
  );
}
