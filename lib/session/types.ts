import type { Duplex, Readable, Writable } from 'node:stream';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { TerminalSize } from '../contract/user-terminal';
import type { Clock } from './channel/clock';

export type { TerminalSize };

/** A session that ECS or SSM has already granted. */
export interface SessionGrant {
  readonly sessionId: string;
  readonly streamUrl: string;
  /** Good for one connection, made soon. */
  readonly tokenValue: string;
  /** `ecs:CLUSTER_TASK_RUNTIME-ID`. Needed where the session is encrypted with a KMS key. */
  readonly target?: string;
}

/** A command in a container of a task, on a terminal of its own (`ecs:ExecuteCommand`). */
export interface CommandRequest {
  readonly kind: 'command';
  /** Name or ARN. */
  readonly cluster: string;
  /** Id or ARN. */
  readonly task: string;
  /** Default: the task's only container. */
  readonly container?: string;
  /** Split into words as a shell does, but run without one: write `sh -c '…'` for pipes and variables. */
  readonly command: string;
  /** Default: the agent's own. */
  readonly size?: TerminalSize;
}

/** Any number of connections to a port of the task, or of a host that the task can reach. */
export interface PortRequest {
  readonly kind: 'port';
  /** `ecs:CLUSTER_TASK_RUNTIME-ID`. */
  readonly target: string;
  readonly port: number;
  /** Default: the task itself. */
  readonly host?: string;
}

/** One connection to the task's SSH server, or to what else listens there (`AWS-StartSSHSession`). */
export interface SshRequest {
  readonly kind: 'ssh';
  /** `ecs:CLUSTER_TASK_RUNTIME-ID`. */
  readonly target: string;
  /** Default: 22. */
  readonly port?: number;
}

export interface GrantedCommandRequest {
  readonly kind: 'command';
  readonly grant: SessionGrant;
  readonly size?: TerminalSize;
}

export interface GrantedPortRequest {
  readonly kind: 'port';
  readonly grant: SessionGrant;
}

export interface GrantedSshRequest {
  readonly kind: 'ssh';
  readonly grant: SessionGrant;
}

export type SessionRequest =
  CommandRequest | PortRequest | SshRequest | GrantedCommandRequest | GrantedPortRequest | GrantedSshRequest;

export interface SessionClients {
  /** Starts a command. */
  readonly ecs?: ECSClient;
  /** Starts port and SSH sessions, resumes and terminates all. Without it a lost connection ends the session. */
  readonly ssm?: SSMClient;
  /** Needed where the session is encrypted with a KMS key. */
  readonly kms?: KMSClient;
}

export interface OpenSessionOptions<Request extends SessionRequest = SessionRequest> {
  readonly request: Request;
  readonly clients: SessionClients;
  /** What the WebSocket is signed with. Default: those of the client that starts the session, or of `ssm`; unsigned without. */
  readonly credentials?: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  /** Default: the region of the same client. */
  readonly region?: string;
  /** Ends the session, whenever it fires. */
  readonly signal?: AbortSignal;
  /** What this client calls itself. Agents change their behaviour by it. Default: 1.2.707.0. */
  readonly clientVersion?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** How a session ended that the service ended, or that this side closed. */
export interface SessionEnd {
  /** Why, in the service's words: empty for an ordinary end, else for example that the command could not be started. */
  readonly reason: string;
  readonly by: 'service' | 'caller';
}

interface Session extends AsyncDisposable {
  readonly sessionId: string;
  /** Resolves when the session is over. Rejects with `unreachable`, `denied`, `not-found`, `aborted` or `failed` if it broke. */
  readonly ended: Promise<SessionEnd>;
  /** Terminates the session at both ends. Resolves when that is done, at the latest after some seconds; never rejects. */
  close(): Promise<void>;
}

export interface CommandSession extends Session {
  /** What the terminal gets as typed. Ending it only means that no more is written: a terminal's end of file is byte 4. */
  readonly input: Writable;
  /** What the terminal shows. Ends with the session; destroyed with the error if that broke. */
  readonly output: Readable;
  resize(size: TerminalSize): void;
}

export interface SshSession extends Session {
  /** The connection. Ending it ends the session once all has been sent. */
  readonly stream: Duplex;
}

export interface PortSession extends Session {
  /**
   * Makes a connection. The agent reports no success: a port that refuses destroys the stream with `unreachable`.
   * Ending the stream tells the other end that no more comes; AWS's agent then closes the connection in both directions.
   */
  connect(signal?: AbortSignal): Promise<Duplex>;
}

export type SessionOf<Request extends SessionRequest> = Request['kind'] extends 'command'
  ? CommandSession
  : Request['kind'] extends 'port'
    ? PortSession
    : SshSession;
