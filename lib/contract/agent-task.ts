import * as z from 'zod';

/** The properties and attributes of `AgentTask`'s custom resource. The construct writes the properties, `lambda/agent-task` reads them. */
export const AGENT_TASK_RESOURCE_TYPE = 'Custom::MngrAgentTask';

/** CloudFormation turns every value in a custom resource's properties into a string. */
const number = z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);
const boolean = z.enum(['true', 'false']).transform((text) => text === 'true');
const words = z.array(z.string());
const map = z.record(z.string(), z.string());

/** Properties that decide what runs: changing one of them takes a new task. */
const launchProperties = {
  Cluster: z.string(),
  /** ARN of a revision, so that a deployment with another image replaces the host. */
  TaskDefinition: z.string(),
  ContainerName: z.string(),
  LogGroup: z.string(),
  Subnets: words.min(1),
  SecurityGroups: words.min(1),
  AssignPublicIp: boolean,
  Provider: z.string(),
  Name: z.string(),
  PublicKey: z.string(),
  AuthorizedKeys: words.optional(),
  Command: words.optional(),
  Env: map.optional(),
  /** CPU units and MiB. */
  Cpu: number,
  Memory: number,
  /** GiB. */
  EphemeralStorage: number.optional(),
  Spot: boolean,
  /** Seconds; 0 means never. */
  IdleTimeout: number,
};

export const AGENT_TASK_LAUNCH_PROPERTIES = Object.keys(launchProperties);

export const agentTaskPropertiesSchema = z.object({
  ...launchProperties,
  /**
   * What the tag `stackResource` says: the same for one `AgentTask` whatever its logical id, which changes with its
   * provider. Older constructs don't give it; then it is the logical id.
   */
  Owner: z.string().optional(),
  /** Seconds. Kept in a tag, as `Tags` are. */
  MaxAge: number.optional(),
  Tags: map.optional(),
  /** Seconds that the host may take to become ready. */
  Timeout: number,
});

export type AgentTaskPropertiesInput = Record<keyof z.input<typeof agentTaskPropertiesSchema>, unknown>;
export type AgentTaskProperties = z.output<typeof agentTaskPropertiesSchema>;

/** Attributes of the custom resource, besides its physical id, which is the task's ARN. All of them are strings. */
export const AGENT_TASK_ATTRIBUTES = {
  hostId: 'HostId',
  /** Empty where hosts have no public address. */
  publicAddress: 'PublicAddress',
  privateAddress: 'PrivateAddress',
  /** The one of the two to use for SSH in this environment. */
  address: 'Address',
  /** Port of sshd at that address. */
  port: 'Port',
  /** As in a `.pub` file: `ssh-ed25519 AAAA…`. */
  hostKey: 'HostKey',
  /** The line of a known_hosts file for that address and port. */
  knownHosts: 'KnownHosts',
} as const;

export type AgentTaskAttributes = Record<(typeof AGENT_TASK_ATTRIBUTES)[keyof typeof AGENT_TASK_ATTRIBUTES], string>;

/** Environment variables of the handlers. */
export const AGENT_TASK_ENVIRONMENT = {
  /** Name of the Lambda function that runs `lambda/host-probe`. */
  probe: 'MNGR_HOST_PROBE',
} as const;
