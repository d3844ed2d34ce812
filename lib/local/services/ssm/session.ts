import { randomBytes, randomUUID } from 'node:crypto';
import type { AgentSession } from '../../agent/agent';
import { encodeMessage, newMessage } from '../../agent/message';
import type { Clock } from '../../state/clock';
import { FaultyLink } from './session-faults';
import type { SessionFaults } from './session-faults';

/** The client's connection, as far as a session uses it. */
export interface ClientConnection {
  send(frame: Buffer): void;
  /** Closes it in order, after what has been sent. */
  close(): void;
  /** Cuts it off. */
  cut(): void;
}

export interface SessionDetails {
  readonly id: string;
  readonly target: string;
  /** ARN of the caller that started it. */
  readonly owner: string;
  /** The same caller's `aws:userid`. */
  readonly ownerId: string;
  readonly documentName: string | undefined;
  readonly reason: string | undefined;
}

/** Milliseconds for which a token opens a connection that nobody has made yet. */
const TOKEN_LIFETIME = 10 * 60_000;
/** The payload type that the service gives its own messages about publication. */
const PUBLICATION_PAYLOAD = 17;
const MESSAGE_TYPE_START = 4;
const MESSAGE_TYPE_END = 36;

/**
 * A session as the service sees it: it passes on the messages of client and agent, tells each when the other is
 * disconnected, and ends the session.
 */
export class Session {
  readonly startedAt: Date;
  endedAt: Date | undefined;
  /** When a client or agent last sent data. */
  lastActivity: number;
  private agent: AgentSession | undefined;
  private client: ClientConnection | undefined;
  private token: { readonly value: string; readonly issuedAt: number } | undefined;
  private ending: { readonly output: string } | undefined;
  private readonly toClient: FaultyLink;
  private readonly toAgent: FaultyLink;

  constructor(
    readonly details: SessionDetails,
    private readonly clock: Clock,
    private readonly faults: SessionFaults,
  ) {
    this.startedAt = clock.now();
    this.lastActivity = this.startedAt.getTime();
    this.toClient = new FaultyLink(faults, (frame) => this.client?.send(frame));
    this.toAgent = new FaultyLink(faults, (frame) => this.agent?.receive(frame));
  }

  get ended(): boolean {
    return this.ending !== undefined;
  }

  get connected(): boolean {
    return this.client !== undefined;
  }

  /** Sets the agent's session, once it exists. */
  attach(agent: AgentSession): void {
    this.agent = agent;
    this.tellAgent(this.connected);
  }

  /** A new token, which replaces any earlier one. */
  issueToken(): string {
    this.token = { value: randomBytes(192).toString('base64'), issuedAt: this.clock.now().getTime() };
    return this.token.value;
  }

  /** Uses a token up; false when it isn't, or is no longer, this session's. */
  redeem(value: string): boolean {
    const { token } = this;
    if (token === undefined || token.value !== value) return false;
    if (this.clock.now().getTime() - token.issuedAt > TOKEN_LIFETIME || this.faults.takeRefusal()) return false;
    this.token = undefined;
    return true;
  }

  /** A client has opened the channel; an earlier connection is closed. */
  connect(client: ClientConnection): void {
    this.client?.cut();
    this.client = client;
    if (this.ending !== undefined) {
      this.closeClient(this.ending.output);
      return;
    }
    client.send(publication('start_publication'));
    this.tellAgent(true);
  }

  /** A connection has ended, whoever ended it. */
  disconnected(client: ClientConnection): void {
    if (this.client !== client) return;
    this.client = undefined;
    this.toClient.cut();
    this.tellAgent(false);
  }

  /** Cuts the client's connection; the session continues. */
  cut(): void {
    this.client?.cut();
  }

  fromClient(frame: Buffer): void {
    this.noteActivity(frame, 'input_stream_data');
    this.toAgent.pass(frame);
  }

  fromAgent(frame: Buffer): void {
    if (typeOf(frame) === 'agent_session_state') {
      if (frame.includes('"Terminating"')) this.end('');
      return;
    }
    this.noteActivity(frame, 'output_stream_data');
    this.toClient.pass(frame);
  }

  /** Ends the session for both sides. `output` tells the client why, and is empty for a session that ended normally. */
  end(output: string): void {
    if (this.ending !== undefined) return;
    this.ending = { output };
    this.endedAt = this.clock.now();
    this.agent?.terminate();
    this.toAgent.cut();
    this.closeClient(output);
  }

  private closeClient(output: string): void {
    const { client } = this;
    if (client === undefined) return;
    this.client = undefined;
    client.send(channelClosed(this.details.id, output));
    client.close();
  }

  private tellAgent(clientIsThere: boolean): void {
    this.agent?.receive(
      encodeMessage(
        newMessage({
          type: clientIsThere ? 'start_publication' : 'pause_publication',
          sequence: 0,
          flags: 3,
          payloadType: 0,
          payload: Buffer.alloc(0),
        }),
      ),
    );
  }

  private noteActivity(frame: Buffer, type: string): void {
    if (typeOf(frame) === type) this.lastActivity = this.clock.now().getTime();
  }
}

const typeOf = (frame: Buffer): string => frame.toString('ascii', MESSAGE_TYPE_START, MESSAGE_TYPE_END).trim();

/** The service's own message; its date is not set. */
const publication = (type: string): Buffer =>
  encodeMessage({
    type,
    createdAt: 0,
    sequence: 0,
    flags: 0,
    id: randomUUID(),
    payloadType: PUBLICATION_PAYLOAD,
    payload: Buffer.alloc(0),
  });

function channelClosed(sessionId: string, output: string): Buffer {
  const message = newMessage({
    type: 'channel_closed',
    sequence: 0,
    flags: 3,
    payloadType: 0,
    payload: Buffer.from(
      JSON.stringify({
        MessageId: randomUUID(),
        CreatedDate: new Date().toISOString(),
        DestinationId: randomUUID(),
        SessionId: sessionId,
        MessageType: 'channel_closed',
        SchemaVersion: 1,
        Output: output,
      }),
    ),
  });
  return encodeMessage(message);
}
