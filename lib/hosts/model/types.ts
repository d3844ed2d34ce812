import type { Readable, Writable } from 'node:stream';
import type { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import type { AwsSettings } from '../../aws/client-options';
import type { UserSsh } from '../../ssh';
import type { HostOwner } from '../../contract/tags';
import type { UserTerminal } from '../../contract/user-terminal';

/** Where a host's sshd answers. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** States of a task, in ECS's own words (ECS developer guide, "task lifecycle"). */
export type TaskState =
  'PROVISIONING' | 'PENDING' | 'ACTIVATING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'DEPROVISIONING' | 'STOPPED';

/** A host as ECS shows it, with the keys that this machine has for it. Times are ISO 8601, UTC. */
export interface Host {
  /** `host-<32 hex>`. */
  readonly hostId: string;
  readonly name: string;
  readonly provider: string;
  /** Who made it; null where its tags don't say, as after it has stopped. */
  readonly owner: HostOwner | null;
  readonly state: TaskState;
  /** True once a launcher has verified the host key and set up the host. */
  readonly ready: boolean;
  readonly taskArn: string;
  /** Null until the network interface exists, and after the task has stopped. */
  readonly address: HostAddress | null;
  readonly publicIp: string | null;
  readonly privateIp: string | null;
  /** Null in a network without IPv6, and after the task has stopped. */
  readonly ipv6: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly readyAt: string | null;
  readonly expiresAt: string | null;
  readonly stoppedAt: string | null;
  /** ECS's stopCode and stoppedReason, and the agent container's reason and exit code; null while it runs. */
  readonly stopCode: string | null;
  readonly stoppedReason: string | null;
  readonly containerReason: string | null;
  readonly exitCode: number | null;
  /** CPU units, MiB, GiB. */
  readonly cpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  readonly architecture: string | null;
  readonly spot: boolean;
  readonly taskDefinitionArn: string;
  readonly image: string | null;
  readonly availabilityZone: string | null;
  /** User tags, without mngr's own. */
  readonly tags: Readonly<Record<string, string>>;
  /** Estimated cost so far in US dollars at the region's public list prices (lib/hosts/model/cost.ts). */
  readonly costUsd: number;
  /** The same, per hour. */
  readonly costUsdPerHour: number;
  /** When billing began, with the image pull. Null before that. */
  readonly billedFrom: string | null;
  /** Private key and pinned known_hosts of this host on this machine; null if it was created elsewhere. */
  readonly identityFile: string | null;
  readonly knownHostsFile: string | null;
}

export interface CreateHostRequest {
  /** mngr's host name rule: no dots, at most 63 characters. */
  readonly name: string;
  /** Program and arguments for the agent's tmux session `mngr-NAME`; none starts no session. Never goes through RunTask. */
  readonly command?: readonly string[];
  /** CPU units and MiB. Default: the provider's. */
  readonly cpu?: number;
  readonly memory?: number;
  /** Image URI instead of the task definition's; registers or reuses a revision of the family. */
  readonly image?: string;
  readonly spot?: boolean;
  /** Written to the host's env file over SSH; never part of RunTask. */
  readonly env?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  /** Seconds; 0 means never. */
  readonly idleTimeout?: number;
  /** Seconds. */
  readonly maxAge?: number;
  readonly subnets?: readonly string[];
  /** GiB. */
  readonly ephemeralStorage?: number;
  /** More OpenSSH public keys that may log in. */
  readonly authorizedKeys?: readonly string[];
  /** Who makes the host, and so may end it without being asked. Default `launcher`. */
  readonly owner?: HostOwner;
  /** False returns as soon as RunTask has been accepted. Default true. */
  readonly wait?: boolean;
  /** Seconds until a create fails if the host isn't ready. Default 600. */
  readonly timeout?: number;
  /** Seconds until the container stops if nobody has logged in, for example if this machine fails. Default 600; 0 means never. */
  readonly bootLeaseSeconds?: number;
}

/** Steps of a create, in order. */
export type CreateStep = 'keys' | 'run-task' | 'address' | 'ssh' | 'setup' | 'ready';

export interface CreateProgress {
  readonly name: string;
  readonly step: CreateStep;
  /** ECS's lastStatus once there is a task. */
  readonly state: TaskState | null;
  readonly taskArn: string | null;
  /** Milliseconds since the create began. */
  readonly elapsedMs: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface CreateOptions extends CallOptions {
  readonly onProgress?: (progress: CreateProgress) => void;
}

export interface ListFilter {
  /** Also tasks that stopped within the hour for which ECS still shows them. Default false. */
  readonly stopped?: boolean;
  /** Only hosts that have all of these tags. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ExecOptions extends CallOptions {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Runs the command on a terminal there, with these streams for its keys and its screen instead of those above. */
  readonly terminal?: UserTerminal;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
}

/** What the user of a new host should know about its command. */
export interface AgentNotice {
  /** 0 if the command has already ended; null while it runs. */
  readonly exitCode: number | null;
  /** What a coding agent asks, completing "the agent asks …"; null if it asks nothing. */
  readonly dialog: string | null;
  /** What is on its screen. */
  readonly screen: readonly string[];
}

export type CreatedHost = Host & { readonly agentNotice?: AgentNotice };

export interface PressOptions extends CallOptions {
  /** The agent's name. Default the host's own agent, or the only one there is. */
  readonly agent?: string;
  /** Type no matter what has the keyboard, even a shell. Default false. */
  readonly force?: boolean;
}

export interface MessageOptions extends PressOptions {
  /** Press Enter after the text. Default true. */
  readonly enter?: boolean;
  /** How long to wait for an agent that doesn't take text yet, in milliseconds. Default 30,000. */
  readonly waitMs?: number;
}

/** How a remote command ended: its exit code, or the signal that killed it (without `SIG`). */
export interface ExecResult {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface DestroyResult {
  readonly hostId: string;
  readonly name: string;
  readonly taskArn: string;
  /** False if the task had already stopped. */
  readonly wasRunning: boolean;
}

/** What became of one of several hosts. */
export type DestroyOutcome = DestroyResult | (Omit<DestroyResult, 'wasRunning'> & { readonly error: MngrFargateError });

export interface LogLine {
  readonly timestamp: string;
  readonly message: string;
}

export interface LogOptions extends CallOptions {
  readonly follow?: boolean;
  /** Only lines after this time. */
  readonly since?: Date;
  /** Only this many last lines. Default: all. */
  readonly tail?: number;
}

export type { AwsSettings, UserSsh };

/**
 * Options of a Hosts instance. Of the process's environment only what AWS's own tools read is used (credentials, proxy,
 * certificates), and for a bastion what ssh reads.
 */
export interface HostsOptions {
  /** The provider block. */
  readonly config: ProviderConfig;
  /** The block's name; becomes the `mngr-provider` tag. Default `fargate`. */
  readonly provider?: string;
  /** Where keys and pinned host keys are kept, one directory per host (`<profile>/fargate`). */
  readonly keyDirectory: string;
  /** Endpoint, credentials and MFA codes. Default: this machine's AWS configuration. */
  readonly aws?: AwsSettings;
  /** Whose keys and known hosts a bastion (`proxy_jump`) is reached with. Default: this process's user. */
  readonly userSsh?: UserSsh;
}

/** The name of a host, its host id or its task ARN. */
export type HostReference = string;
