import { EventEmitter, once } from 'node:events';
import { decodeMessage, encodeMessage, MalformedMessageError, newMessage, PAYLOAD } from './message';
import type { Message } from './message';
import { RoundTrip } from './round-trip';
import type { SessionCipher } from './session-cipher';
import { DecryptionError } from './session-cipher';

/** Bytes of a stream in one message. */
export const CHUNK = 1024;
/** Milliseconds between checks for a message to send again. */
const RESEND_INTERVAL = 100;
/** Messages that wait for earlier ones. */
const MAX_INCOMING = 100_000;
/** Messages that wait for their acknowledgement. */
const MAX_OUTGOING = 100_000;
/** Milliseconds that the agent waits at a session's end for what it has sent to be acknowledged. */
const DRAIN_TIMEOUT = 2000;

/** What a plugin does with a message of the client. False: it isn't ready, and the client must send the message again. */
export type InputHandler = (payloadType: number, payload: Buffer) => boolean;

interface Outgoing {
  readonly sequence: number;
  readonly frame: Buffer;
  sentAt: number;
}

/**
 * The agent's end of a data channel: sends messages in sequence and again until they are acknowledged, takes the
 * client's messages in order, and acknowledges them.
 */
export class AgentDataChannel {
  /** Takes the client's messages; without one nothing is acknowledged. */
  onInput: InputHandler = () => false;

  /** Encrypts output and decrypts input, once the session has agreed on a key. */
  cipher: SessionCipher | undefined;

  private readonly roundTrip = new RoundTrip();
  private readonly outgoing: Outgoing[] = [];
  private readonly incoming = new Map<number, Message>();
  private nextToSend = 0;
  private nextExpected = 0;
  private paused = true;
  private closed = false;
  private readonly resending: NodeJS.Timeout;
  private readonly events = new EventEmitter<{ acknowledged: [] }>();

  /** `transmit` hands a frame to the service. */
  constructor(private readonly transmit: (frame: Buffer) => void) {
    this.resending = setInterval(() => this.resendOldest(), RESEND_INTERVAL).unref();
  }

  /** Sends a payload; resolves when there is room for the next. */
  async send(payloadType: number, clear: Buffer): Promise<void> {
    const payload = payloadType === PAYLOAD.output ? (this.cipher?.encrypt(clear) ?? clear) : clear;
    while (this.outgoing.length >= MAX_OUTGOING && !this.closed) {
      await once(this.events, 'acknowledged');
    }
    if (this.closed) return;
    const sequence = this.nextToSend++;
    const flags = sequence === 0 ? 1 : 0;
    const message = newMessage({ type: 'output_stream_data', sequence, flags, payloadType, payload });
    const entry = { sequence, frame: encodeMessage(message), sentAt: Date.now() };
    this.outgoing.push(entry);
    if (!this.paused) this.transmit(entry.frame);
  }

  /** Tells the service, not the client, about the state of the session. */
  sendState(sessionId: string, state: 'Connected' | 'Terminating'): void {
    if (this.closed) return;
    const payload = Buffer.from(JSON.stringify({ SchemaVersion: 1, SessionState: state, SessionId: sessionId }));
    this.transmit(
      encodeMessage(newMessage({ type: 'agent_session_state', sequence: 0, flags: 3, payloadType: 0, payload })),
    );
  }

  /** The plugin is ready again for input that it refused before. */
  inputReady(): void {
    this.takeBuffered();
  }

  /** Takes a frame from the service. One that can't be read is ignored. */
  receive(frame: Buffer): void {
    if (this.closed) return;
    try {
      this.take(decodeMessage(frame));
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
    }
  }

  /** True while nobody listens: nothing is sent. */
  setPaused(paused: boolean): void {
    this.paused = paused;
  }

  /** Resolves when everything has been acknowledged, or nothing has been for two seconds. */
  async drain(): Promise<void> {
    const signal = AbortSignal.timeout(DRAIN_TIMEOUT);
    while (this.outgoing.length > 0 && !this.closed && !signal.aborted) {
      await once(this.events, 'acknowledged', { signal }).catch(() => undefined);
    }
  }

  close(): void {
    this.closed = true;
    clearInterval(this.resending);
    this.events.emit('acknowledged');
  }

  private take(message: Message): void {
    if (message.type === 'acknowledge') this.acknowledged(message);
    else if (message.type === 'pause_publication') this.paused = true;
    else if (message.type === 'start_publication') this.paused = false;
    else if (message.type === 'input_stream_data') this.takeInput(message);
  }

  private acknowledged({ payload }: Message): void {
    const sequence = acknowledgedSequence(payload);
    const index = this.outgoing.findIndex((entry) => entry.sequence === sequence);
    const entry = this.outgoing[index];
    if (entry === undefined) return;
    this.roundTrip.sample(Date.now() - entry.sentAt);
    this.outgoing.splice(index, 1);
    this.events.emit('acknowledged');
  }

  private takeInput(message: Message): void {
    const { sequence } = message;
    if (sequence < this.nextExpected) {
      this.acknowledge(message);
    } else if (sequence > this.nextExpected) {
      if (this.incoming.size >= MAX_INCOMING) return;
      this.incoming.set(sequence, message);
      this.acknowledge(message);
    } else {
      if (!this.handle(message)) return;
      this.acknowledge(message);
      this.nextExpected += 1;
      this.takeBuffered();
    }
  }

  /** Messages that came early and have already been acknowledged. */
  private takeBuffered(): void {
    for (;;) {
      const message = this.incoming.get(this.nextExpected);
      if (message === undefined || !this.handle(message)) return;
      this.incoming.delete(this.nextExpected);
      this.nextExpected += 1;
    }
  }

  private handle({ payloadType, payload }: Message): boolean {
    if (payloadType !== PAYLOAD.output || this.cipher === undefined) return this.onInput(payloadType, payload);
    try {
      return this.onInput(payloadType, this.cipher.decrypt(payload));
    } catch (error) {
      if (error instanceof DecryptionError) return false;
      throw error;
    }
  }

  private acknowledge({ type, id, sequence }: Message): void {
    const payload = Buffer.from(
      JSON.stringify({
        AcknowledgedMessageType: type,
        AcknowledgedMessageId: id,
        AcknowledgedMessageSequenceNumber: sequence,
        IsSequentialMessage: true,
      }),
    );
    this.transmit(encodeMessage(newMessage({ type: 'acknowledge', sequence: 0, flags: 3, payloadType: 0, payload })));
  }

  /** Only the oldest is checked: later ones can't be used without it. */
  private resendOldest(): void {
    const [oldest] = this.outgoing;
    if (oldest === undefined || this.paused || Date.now() - oldest.sentAt < this.roundTrip.timeout) return;
    oldest.sentAt = Date.now();
    this.transmit(oldest.frame);
  }
}

function acknowledgedSequence(payload: Buffer): number | undefined {
  try {
    const { AcknowledgedMessageSequenceNumber: sequence } = JSON.parse(payload.toString('utf8')) as {
      readonly AcknowledgedMessageSequenceNumber?: unknown;
    };
    return typeof sequence === 'number' ? sequence : undefined;
  } catch {
    return undefined;
  }
}
