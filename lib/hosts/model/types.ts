import type { Readable, Writable } from 'node:stream';
import type { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import type { AwsSettings } from '../../aws/client-options';
import type { HostOwner } from '../../contract/tags';
import type { CopyOptions, CopyResult } from '../../ssh';

/** Where sshd of a host answers. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** States of a task, in ECS's own words (ECS developer guide, "task lifecycle"). */
export type TaskState =
  'PROVISIONING' | 'PENDING' | 'ACTIVATING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'DEPROVISIONING' | 'STOPPED';

/** One host as ECS shows it, plus what this machine knows of its keys. Times are ISO 8601, UTC. */
export interface Host {
  /** `host-<32 hex>`. */
  readonly hostId: string;
  readonly name: string;
  readonly provider: string;
  /** Who made it; null where its tags don't say, as after it has stopped. */
  readonly owner: HostOwner | null;
  readonly state: TaskState;
  /** True once a launcher has verified the host key and set the host up. */
  readonly ready: boolean;
  readonly taskArn: string;
  /** Null until the network interface exists, and after the task has stopped. */
  readonly address: HostAddress | null;
  readonly publicIp: string | null;
  readonly privateIp: string | null;
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
  /** Users' tags, without ours. */
  readonly tags: Readonly<Record<string, string>>;
  /** Estimated cost so far in US dollars at the region's public list prices (lib/hosts/model/cost.ts). */
  readonly costUsd: number;
  /** The same for an hour of its life. */
  readonly costUsdPerHour: number;
  /** When billing began: with the image pull. Null before that. */
  readonly billedFrom: string | null;
  /** Private key and pinned known_hosts of this host on this machine; null when it was created elsewhere. */
  readonly identityFile: string | null;
  readonly knownHostsFile: string | null;
}

export interface CreateHostRequest {
  /** mngr's host name rule: no dots, at most 63 characters. */
  readonly name: string;
  /** Program and arguments for the agent's tmux session `mngr-NAME`; none starts no session. Never goes through RunTask. */
  readonly command?: readonly string[];
  /** CPU units and MiB; the provider's otherwise. */
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
  /** Further OpenSSH public keys that may log in. */
  readonly authorizedKeys?: readonly string[];
  /** Who makes the host, and so may end it without being asked. Default `launcher`. */
  readonly owner?: HostOwner;
  /** False returns as soon as RunTask has been accepted. Default true. */
  readonly wait?: boolean;
  /** Seconds until a host that isn't ready counts as failed. Default 600. */
  readonly timeout?: number;
  /** Seconds that the container lives without anybody logging in: what ends it when this machine dies. Default 600; 0 never. */
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
  /** Only hosts that carry all of these tags. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ExecOptions extends CallOptions {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
}

/** What the user of a new host should know of its command. */
export interface AgentNotice {
  /** 0 where the command has ended already; null while it runs. */
  readonly exitCode: number | null;
  /** What a coding agent asks, completing "the agent asks …"; null where it asks nothing. */
  readonly dialog: string | null;
  /** What is on its screen. */
  readonly screen: readonly string[];
}

export type CreatedHost = Host & { readonly agentNotice?: AgentNotice };

export interface PressOptions extends CallOptions {
  /** The agent's name. Default the host's own agent, or the only one there is. */
  readonly agent?: string;
  /** Type whatever has the keyboard, a shell included. Default false. */
  readonly force?: boolean;
}

export interface MessageOptions extends PressOptions {
  /** Press Enter after the text. Default true. */
  readonly enter?: boolean;
  /** How long to wait for an agent that doesn't take text yet. Milliseconds; default 30 000. */
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
  /** False when the task had stopped before. */
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
  /** Only the last lines; default all. */
  readonly tail?: number;
}

export type { AwsSettings };

/** What a Hosts instance works with. Nothing is read from the process's environment but what AWS's own tools read: credentials, proxy, certificates. */
export interface HostsOptions {
  /** The provider block. */
  readonly config: ProviderConfig;
  /** The block's name; becomes the `mngr-provider` tag. Default `fargate`. */
  readonly provider?: string;
  /** Where keys and pinned host keys are kept, one directory a host (`<profile>/fargate`). */
  readonly keyDirectory: string;
  /** Endpoint, credentials and codes of MFA devices, where they aren't this machine's AWS configuration. */
  readonly aws?: AwsSettings;
}

/** A host is named by its name, its host id or its task ARN. */
export type HostReference = string;

/**
 * The launcher. Thrown errors are MngrFargateError; every method honours its AbortSignal, and what it had started
 * is stopped before it throws.
 */
export interface HostsApi {
  create(request: CreateHostRequest, options?: CreateOptions): Promise<CreatedHost>;
  list(filter?: ListFilter, options?: CallOptions): Promise<Host[]>;
  get(reference: HostReference, options?: CallOptions): Promise<Host>;
  /** Idempotent: a host that has already stopped, by name or id, is a success with `wasRunning: false`. */
  destroy(reference: HostReference, options?: CallOptions): Promise<DestroyResult>;
  /** Stops each of these hosts, as `list` or `get` gave them, whatever becomes of the others. */
  destroyEach(hosts: readonly Host[], options?: CallOptions): Promise<DestroyOutcome[]>;
  /** Stops each host of the provider that a listing shows now. */
  destroyAll(options?: CallOptions): Promise<DestroyOutcome[]>;
  rename(reference: HostReference, name: string, options?: CallOptions): Promise<Host>;
  /** Sets and removes users' tags. */
  tag(
    reference: HostReference,
    change: { readonly set?: Readonly<Record<string, string>>; readonly remove?: readonly string[] },
    options?: CallOptions,
  ): Promise<Host>;
  exec(reference: HostReference, command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /**
   * Types the text into the agent's tmux session exactly, presses Enter, and returns when the agent has it. Throws
   * `agent-not-ready` where nothing was typed: a dialog, a shell or another program has the keyboard, or nobody reads;
   * `timed-out` where the agent did not take what was typed. `details.screen` is what is on the screen.
   */
  message(reference: HostReference, text: string, options?: MessageOptions): Promise<void>;
  /** Presses keys in the agent's tmux session, by tmux's names: `Enter`, `Escape`, `C-c`. */
  press(reference: HostReference, keys: readonly string[], options?: PressOptions): Promise<void>;
  /** Files and folders, recursively, over SFTP. */
  upload(reference: HostReference, local: string, remote: string, options?: CopyOptions): Promise<CopyResult>;
  /** The host is not trusted: nothing is written outside `local`, and no link is made that leads out of it. */
  download(reference: HostReference, remote: string, local: string, options?: CopyOptions): Promise<CopyResult>;
  logs(reference: HostReference, options?: LogOptions): AsyncIterable<LogLine>;
  /** Arguments of the system's `ssh` with the pinned key, and the remote command if one is given. */
  sshArguments(host: Host, remoteCommand?: readonly string[], options?: { readonly tty?: boolean }): string[];
  /** Seconds since the last activity, asked of the host over SSH; null when this machine can't reach it. */
  idleSeconds(host: Host, options?: CallOptions): Promise<number | null>;
  /**
   * Closes connections and SDK clients, once the last tags are written. Throws where a host could not be marked as ready,
   * which the reaper would stop in the end.
   */
  close(): Promise<void>;
}
