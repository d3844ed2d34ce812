/**
 * Tags on an ECS task that make it a host. ECS is the only database: whoever may describe the tasks sees the hosts.
 * `provider`, `hostId` and `hostName` are the names that mngr's first Fargate plugin used.
 */
export const HOST_TAGS = {
  /** Name of the provider block that launched the host, for example `fargate`. */
  provider: 'mngr-provider',
  /** `host-<32 hex>`. */
  hostId: 'mngr-host-id',
  /** The host's present name; RenameHost changes it, `startedBy` keeps the first. */
  hostName: 'mngr-host-name',
  /** ISO 8601, UTC, set by RunTask. */
  createdAt: 'mngr-created-at',
  /** ISO 8601, UTC, set once the launcher has verified the host key and set the host up. */
  readyAt: 'mngr-ready-at',
  /** ISO 8601, UTC; after it the reaper stops the task. Absent: no age limit. */
  expiresAt: 'mngr-expires-at',
  /**
   * Id (ARN) of the CloudFormation stack whose `AgentTask` the host is; absent on hosts of a launcher. With
   * `stackResource` it says who owns the host. Two live hosts of one name and the same two tags are a replacement
   * under way: CloudFormation stops the older one when the younger is ready.
   */
  stackId: 'mngr-stack-id',
  /** Logical id of the `AgentTask` within its stack. */
  stackResource: 'mngr-stack-resource',
  /** Digest of what an `AgentTask` was launched with, which tells whether an update needs another task. */
  stackDigest: 'mngr-stack-digest',
} as const;

/** Tags of this prefix belong to mngr; users' own tags may not start with it. */
export const RESERVED_TAG_PREFIX = 'mngr-';

/** The most tags ECS allows on one task (ECS API, RunTask). */
export const MAX_TAGS_PER_TASK = 50;
