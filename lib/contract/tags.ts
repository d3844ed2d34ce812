/**
 * Tags on an ECS task that make it a host. ECS is the only database: anybody who may describe the tasks sees the hosts.
 * `provider`, `hostId` and `hostName` are the names that mngr's first Fargate plugin used.
 */
export const HOST_TAGS = {
  /** Name of the provider block that launched the host, for example `fargate`. */
  provider: 'mngr-provider',
  /** `host-<32 hex>`. */
  hostId: 'mngr-host-id',
  /** The host's current name. A rename changes it; `startedBy` keeps the first name. */
  hostName: 'mngr-host-name',
  /**
   * The environment that the host belongs to: the family of its task definition, which two environments never share, also
   * where they share a cluster. Policies ask for it before they let a host be changed.
   */
  environment: 'mngr-environment',
  /** Who made the host and may end it without being asked: one of HOST_OWNERS. */
  owner: 'mngr-owner',
  /** ISO 8601, UTC, set by RunTask. */
  createdAt: 'mngr-created-at',
  /** ISO 8601, UTC, set once the launcher has verified the host key and set the host up. */
  readyAt: 'mngr-ready-at',
  /** ISO 8601, UTC: when the reaper stops the task. Absent: no age limit. */
  expiresAt: 'mngr-expires-at',
  /**
   * ARN of the CloudFormation stack whose `AgentTask` created the host; absent on other hosts. Together with
   * `stackResource` it says who owns the host. Two running hosts with the same name and the same two tags are a
   * replacement in progress: CloudFormation stops the older one once the newer one is ready.
   */
  stackId: 'mngr-stack-id',
  /** Logical id of the `AgentTask` within its stack. */
  stackResource: 'mngr-stack-resource',
  /** Digest of what an `AgentTask` was launched with, which tells whether an update needs a new task. */
  stackDigest: 'mngr-stack-digest',
} as const;

/**
 * Who made a host: a person or program with the launcher, mngr with its plugin, a CloudFormation stack, or a sandbox
 * service. Nobody else's automatic clean-up ends it, except the reaper, which keeps the limits that its owner gave it.
 */
export const HOST_OWNERS = ['launcher', 'mngr', 'stack', 'sandbox'] as const;
export type HostOwner = (typeof HOST_OWNERS)[number];

export const isHostOwner = (text: string | undefined): text is HostOwner =>
  (HOST_OWNERS as readonly (string | undefined)[]).includes(text);

/**
 * Tag on the revisions of a task definition that an environment's stack registers; its value is the family. Operators may
 * register revisions but not tag them, so launchers know by it which revision is the stack's.
 */
export const STACK_REVISION_TAG = 'mngr-stack-revision';

/** Prefix of mngr's own tags; user tags may not start with it. */
export const RESERVED_TAG_PREFIX = 'mngr-';

/** The most tags ECS allows on one task (ECS API, RunTask). */
export const MAX_TAGS_PER_TASK = 50;
