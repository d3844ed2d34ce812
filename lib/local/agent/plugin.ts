import type { AgentDataChannel } from './data-channel';

/** A session could not be started or go on; `message` is what the client is shown. */
export class SessionFailure extends Error {
  override readonly name = 'SessionFailure';
}

/** What a plugin works with. */
export interface PluginSession {
  readonly channel: AgentDataChannel;
  /** Fires when the session is terminated. */
  readonly signal: AbortSignal;
  /** As the client gave it in the handshake; empty where there was none. */
  readonly clientVersion: string;
  /** True while the agent makes its own pauses. */
  readonly paced: boolean;
  /** Sends a payload to the client, encrypted where the session is. */
  send(payloadType: number, payload: Buffer): Promise<void>;
  /** Notes what the session shows, for the audit log. */
  record(shown: Buffer): void;
  /** One of the agent's own pauses, in milliseconds; none if they are switched off. Ends early with the session. */
  pause(milliseconds: number): Promise<void>;
  /** Reports the exit code with which the session's process has ended; never resolves if the agent has died with it. */
  processEnded(exitCode: number): Promise<void>;
}

/** One kind of session. */
export interface SessionPlugin {
  readonly requiresHandshake: boolean;
  /** As the handshake names it. */
  readonly sessionType: 'InteractiveCommands' | 'Port';
  /** What the handshake says about the session. */
  readonly properties: object | null;
  /** Resolves when the session is over by itself. Throws SessionFailure. */
  run(session: PluginSession): Promise<void>;
}
