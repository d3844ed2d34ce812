import { isIPv6, SocketAddress } from 'node:net';
import type { Container, Task } from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT } from '../../contract/boot-variables';
import { EPHEMERAL_STORAGE } from '../../contract/fargate-sizes';
import { isHostId, isHostName, parseStartedBy } from '../../contract/host-name';
import type { ProviderConfig } from '../../contract/provider-config';
import { familyOf } from '../../contract/task-definition-family';
import { HOST_TAGS, isHostOwner, RESERVED_TAG_PREFIX } from '../../contract/tags';
import { costOf, hourlyCost } from './cost';
import type { HostOwner } from '../../contract/tags';
import type { Host, HostAddress, TaskState } from './types';

const SSH_PORT = 22;
const SSH_USER = 'root';
/** Bind addresses that don't say which address of the task is meant. */
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);

export const tagsOf = (task: Task): Record<string, string> =>
  Object.fromEntries((task.tags ?? []).map(({ key, value }) => [key ?? '', value ?? '']));

export const stateOf = (task: Task): TaskState => (task.lastStatus ?? 'PROVISIONING') as TaskState;

/** A task counts as live until something has told it to stop. */
export const isLive = (task: Task): boolean => task.desiredStatus !== 'STOPPED' && task.lastStatus !== 'STOPPED';

/** True for a task of the environment that the provider uses: another environment in the same cluster has another family. */
export const isInEnvironment = (task: Task, { task_definition: definition }: ProviderConfig): boolean =>
  familyOf(task.taskDefinitionArn ?? '') === familyOf(definition);

/**
 * True for a host of this provider in this environment. Listing, finding, stopping and the reaper all use this rule, so
 * that nothing is done to a host that `list` doesn't show.
 */
export function belongsTo(task: Task, provider: string, config: ProviderConfig): boolean {
  if (!isInEnvironment(task, config)) return false;
  const tag = tagsOf(task)[HOST_TAGS.provider];
  if (tag !== undefined) return tag === provider;
  return parseStartedBy(task.startedBy ?? '')?.provider === provider;
}

/** A tag's value, which anybody with TagResource may have written; undefined unless it is valid. */
const validTag = (task: Task, name: string, isValid: (text: string) => boolean): string | undefined => {
  const text = tagsOf(task)[name];
  return text !== undefined && isValid(text) ? text : undefined;
};

/** ISO 8601 as the launcher writes it. */
const isTime = (text: string): boolean => /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text));

const timeTag = (task: Task, name: string): string | null => validTag(task, name, isTime) ?? null;

/** The host's current name: its tag, which a rename changes, or else the name it was launched with (StopTask drops the tags). */
export const nameOf = (task: Task): string =>
  validTag(task, HOST_TAGS.hostName, isHostName) ?? parseStartedBy(task.startedBy ?? '')?.hostName ?? '';

/** True when the task runs the host that has the name now. */
export const isLiveHost = (task: Task, name: string): boolean => isLive(task) && nameOf(task) === name;

/** Oldest first by ECS's clock, in milliseconds; the ARN decides between tasks with the same time. */
export const olderFirst = (one: Aged, other: Aged): number =>
  (one.createdAt ?? 0) - (other.createdAt ?? 0) || (one.arn < other.arn ? -1 : 1);

export interface Aged {
  readonly arn: string;
  readonly createdAt: number | undefined;
}

export const olderTaskFirst = (one: Task, other: Task): number => olderFirst(agedOf(one), agedOf(other));

const agedOf = ({ taskArn = '', createdAt }: Task): Aged => ({ arn: taskArn, createdAt: createdAt?.getTime() });

const attachmentDetail = (task: Task, name: string): string | undefined =>
  task.attachments
    ?.find(({ type }) => type === 'ElasticNetworkInterface')
    ?.details?.find((detail) => detail.name === name)?.value;

export const networkInterfaceIdOf = (task: Task): string | undefined => attachmentDetail(task, 'networkInterfaceId');

export const agentContainer = (task: Task, containerName: string): Container | undefined =>
  task.containers?.find(({ name }) => name === containerName) ?? task.containers?.[0];

/**
 * Where sshd listens: on the public IPv4 address if the provider asks for one, else on the private one; then on the IPv6
 * address, if the network has IPv6. The port is the one that networkBindings reports for port 22. Only an answer shows whom a
 * security group lets in, and by which family.
 */
export function addressesOf(
  task: Task,
  config: ProviderConfig,
  addresses: InterfaceAddresses | undefined,
): readonly HostAddress[] {
  const container = agentContainer(task, config.container_name);
  const binding = container?.networkBindings?.find(({ containerPort }) => containerPort === SSH_PORT);
  const bound = binding?.bindIP === undefined || ANY_ADDRESS.has(binding.bindIP) ? undefined : binding.bindIP;
  const own = [ipv4Of(task, config, addresses), ipv6Of(task, config, addresses)];
  const hosts = bound === undefined ? own : [bound];
  return hosts
    .filter((host) => host !== undefined && host !== null && host !== '')
    .map((host) => ({ host: host as string, port: binding?.hostPort ?? SSH_PORT, user: SSH_USER }));
}

/** The first of them. */
export const addressOf = (
  task: Task,
  config: ProviderConfig,
  addresses: InterfaceAddresses | undefined,
): HostAddress | null => addressesOf(task, config, addresses)[0] ?? null;

/** The IPv4 address that the provider's hosts are reached at. */
export const ipv4Of = (
  task: Task,
  config: ProviderConfig,
  addresses: InterfaceAddresses | undefined,
): string | null | undefined =>
  config.assign_public_ip
    ? addresses?.publicIp
    : (addresses?.privateIp ?? attachmentDetail(task, 'privateIPv4Address'));

/** The IPv6 address, which is public and private at once, in the form that OpenSSH looks up in known_hosts. */
export function ipv6Of(
  task: Task,
  config: ProviderConfig,
  addresses: InterfaceAddresses | undefined,
): string | undefined {
  const interfaces = agentContainer(task, config.container_name)?.networkInterfaces;
  const address = addresses?.ipv6 ?? interfaces?.[0]?.ipv6Address ?? '';
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : undefined;
}

/** The addresses of a task's network interface, from EC2. */
export interface InterfaceAddresses {
  readonly publicIp: string | null;
  readonly privateIp: string | null;
  readonly ipv6: string | null;
}

export interface LocalFiles {
  readonly identityFile: string | null;
  readonly knownHostsFile: string | null;
}

export const NO_FILES: LocalFiles = { identityFile: null, knownHostsFile: null };

/** What a task's price depends on, besides its region. Sizes that ECS doesn't show come from the second argument. */
export const sizeOf = (task: Task, otherwise: { readonly cpu: number; readonly memory: number }) => ({
  cpu: Number(task.cpu ?? otherwise.cpu),
  memory: Number(task.memory ?? otherwise.memory),
  ephemeralStorage: task.ephemeralStorage?.sizeInGiB ?? EPHEMERAL_STORAGE.included,
  architecture: task.attributes?.find(({ name }) => name === 'ecs.cpu-architecture')?.value?.toUpperCase() ?? null,
  spot: task.capacityProviderName === 'FARGATE_SPOT',
});

/** What a host's view has besides its task. */
export interface HostContext {
  /** Default: those that the task itself shows. */
  readonly addresses?: InterfaceAddresses | undefined;
  /** Default: none. */
  readonly files?: LocalFiles;
  /** Until when a running host's cost is counted. Default: now. */
  readonly now?: Date;
}

/** A task as a host. */
export function hostOf(
  task: Task,
  config: ProviderConfig,
  { addresses, files = NO_FILES, now = new Date() }: HostContext = {},
): Host {
  const tags = tagsOf(task);
  const container = agentContainer(task, config.container_name);
  const state = stateOf(task);
  const stopped = state === 'STOPPED';
  const size = sizeOf(task, config);
  const privateIp = addresses?.privateIp ?? attachmentDetail(task, 'privateIPv4Address') ?? null;
  const billed = { ...size, region: config.aws_region, publicIp: config.assign_public_ip };
  const billedFrom = task.pullStartedAt ?? task.startedAt;
  return {
    hostId: hostIdOf(task, config),
    name: nameOf(task),
    owner: ownerOf(tags),
    provider: tags[HOST_TAGS.provider] ?? parseStartedBy(task.startedBy ?? '')?.provider ?? '',
    state,
    ready: timeTag(task, HOST_TAGS.readyAt) !== null && !stopped,
    taskArn: task.taskArn ?? '',
    address: stopped ? null : addressOf(task, config, addresses),
    publicIp: stopped ? null : (addresses?.publicIp ?? null),
    privateIp,
    ipv6: stopped ? null : (ipv6Of(task, config, addresses) ?? null),
    // The tag has the time of a launcher's clock, which may be wrong.
    createdAt: isoOf(task.createdAt) ?? timeTag(task, HOST_TAGS.createdAt) ?? new Date(0).toISOString(),
    startedAt: isoOf(task.startedAt),
    readyAt: timeTag(task, HOST_TAGS.readyAt),
    expiresAt: timeTag(task, HOST_TAGS.expiresAt),
    stoppedAt: isoOf(task.stoppedAt),
    stopCode: task.stopCode ?? null,
    stoppedReason: task.stoppedReason ?? null,
    containerReason: container?.reason ?? null,
    exitCode: container?.exitCode ?? null,
    ...size,
    taskDefinitionArn: task.taskDefinitionArn ?? '',
    image: container?.image ?? null,
    availabilityZone: task.availabilityZone ?? null,
    tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith(RESERVED_TAG_PREFIX))),
    costUsd: costOf(billed, billedFrom, task.stoppedAt ?? now),
    costUsdPerHour: hourlyCost(billed),
    billedFrom: isoOf(billedFrom),
    ...files,
  };
}

/** Empty if neither the task's tags nor its overrides name a host. */
function hostIdOf(task: Task, config: ProviderConfig): string {
  const launchedAs = environmentOf(task, config, BOOT_ENVIRONMENT.hostId) ?? '';
  return validTag(task, HOST_TAGS.hostId, isHostId) ?? (isHostId(launchedAs) ? launchedAs : '');
}

/** A host that was launched before the tag existed belongs to a stack, or its owner is unknown. */
function ownerOf(tags: Readonly<Record<string, string>>): HostOwner | null {
  const owner = tags[HOST_TAGS.owner];
  if (isHostOwner(owner)) return owner;
  return tags[HOST_TAGS.stackId] === undefined ? null : 'stack';
}

const isoOf = (date: Date | undefined): string | null => date?.toISOString() ?? null;

/** StopTask drops a task's tags, but its overrides still identify the host. */
export function environmentOf(task: Task, config: ProviderConfig, name: string): string | undefined {
  return task.overrides?.containerOverrides
    ?.find((override) => override.name === config.container_name)
    ?.environment?.find((variable) => variable.name === name)?.value;
}
