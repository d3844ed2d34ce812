import * as z from 'zod';

/** What `AgentTask` gives to its custom resource and gets back. The construct writes it, `lambda/agent-task` reads it. */
export const AGENT_TASK_RESOURCE_TYPE = 'Custom::MngrAgentTask';

/** CloudFormation makes strings of all values in a custom resource's properties. */
const number = z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);
const boolean = z.enum(['true', 'false']).transform((text) => text === 'true');
const words = z.array(z.string());
const map = z.record(z.string(), z.string());

/** Properties that decide what runs: another value of one needs another task. */
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
  /** Seconds. Kept in a tag, as `Tags` are. */
  MaxAge: number.optional(),
  Tags: map.optional(),
  /** Seconds that the host may take until it is ready. */
  Timeout: number,
});

export type AgentTaskPropertiesInput = Record<keyof z.input<typeof agentTaskPropertiesSchema>, unknown>;
export type AgentTaskProperties = z.output<typeof agentTaskPropertiesSchema>;

/** Attributes of the custom resource, beside its physical id, which is the task's ARN. All of them strings. */
export const AGENT_TASK_ATTRIBUTES = {
  hostId: 'HostId',
  /** Empty where hosts have no public address. */
  publicAddress: 'PublicAddress',
  privateAddress: 'PrivateAddress',
  /** The one of the two that the environment gives out for SSH. */
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
  /** Name of the function of `lambda/host-probe`. */
  probe: 'MNGR_HOST_PROBE',
} as const;
