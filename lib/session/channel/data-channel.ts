import { MngrFargateError } from '../../contract/errors';
import { oneLine } from '../../util/one-line';
import { acknowledgedSequence, acknowledgementOf, jsonObject } from '../wire/acknowledgement';
import type { Message } from '../wire/message';
import { decodeMessage, MESSAGE_TYPES } from '../wire/message';
import type { Clock } from './clock';
import { Inbox } from './inbox';
import { openingFrame } from './opening-frame';
import type { FrameSink } from './outbox';
import { Outbox } from './outbox';
import type { Dial, Wire, WireLoss } from './wire';

const PING_MS = 30_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
const RETRIES = 5;
/** An agent that acknowledges nothing for this long is gone. The official client waits just as long. */
const SILENCE_MS = 300_000;
const MEBIBYTE = 1024 * 1024;
const LIMITS: BufferLimits = { pauseBytes: 4 * MEBIBYTE, resumeBytes: MEBIBYTE, dropBytes: 16 * MEBIBYTE };
/** How often a paused socket is read for a moment, so that the service's pings get their answers. */
const PEEK_MS = 20_000;

/** What waits for a slow consumer. */
export interface BufferLimits {
  /** From here on the socket is not read. */
  readonly pauseBytes: number;
  /** Down to here, then it is read again. */
  readonly resumeBytes: number;
  /** From here on messages are dropped without an acknowledgement, so that the agent sends them again. */
  readonly dropBytes: number;
}

export interface DataChannelOptions {
  readonly clock: Clock;
  readonly dial: Dial;
  readonly token: string;
  readonly clientVersion: string;
  /** Gets a token for a new connection; undefined where the session is gone. Without it a lost connection ends the session. */
  readonly newToken?: (signal: AbortSignal) => Promise<string | undefined>;
  /** Default: 4, 1 and 16 MiB. */
  readonly limits?: BufferLimits;
}

export interface DataChannelEvents {
  /** The first connection is open. */
  open(): void;
  /** One message of the agent's, in order, once. */
  message(payloadType: number, payload: Buffer): void;
  /** Bytes delivered before that its consumers have yet to make room for. */
  pending(): number;
  /** The service ended the session; the text says why, or is empty. Nothing follows. */
  closed(output: string): void;
  /** The session can't go on. Nothing follows. */
  failed(error: MngrFargateError): void;
}

/** The data channel of one session: messages both ways, each once and in order, over as many connections as it takes. */
export class DataChannel {
  private wire: Wire | undefined;
  /** Number of the current connection. What another still says is ignored. */
  private connection = 0;
  private readonly sink: FrameSink = { send: undefined };
  private readonly inbox: Inbox;
  readonly outbox: Outbox;
  private token: string;
  private ended = false;
  private wasOpen = false;
  private attempts = 0;
  private paused = false;
  /** Whether anything arrived since the last ping. */
  private heard = true;
  private readonly timers = new Map<'ping' | 'retry' | 'peek', () => void>();
  private readonly abandon = new AbortController();
  private readonly limits: BufferLimits;

  constructor(
    private readonly options: DataChannelOptions,
    private readonly events: DataChannelEvents,
  ) {
    this.token = options.token;
    this.limits = options.limits ?? LIMITS;
    this.outbox = new Outbox(options.clock, this.sink);
    this.inbox = new Inbox(
      (message) => this.deliver(message),
      () => this.limits.dropBytes - events.pending(),
    );
  }

  start(): void {
    this.connect();
  }

  /** The consumer has taken bytes. */
  consumed(): void {
    if (!this.paused) return;
    // Streams say so just before they hand over what they have.
    queueMicrotask(() => {
      if (this.paused && this.events.pending() <= this.limits.resumeBytes) this.continueReading();
    });
  }

  /** Ends the connection without another word. Calling it again does nothing. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.abandon.abort();
    this.disconnect();
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  private connect(): void {
    const connection = ++this.connection;
    const ifCurrent =
      <Args extends unknown[]>(act: (...args: Args) => void) =>
      (...args: Args): void => {
        if (!this.ended && connection === this.connection) act(...args);
      };
    this.wire = this.options.dial({
      open: ifCurrent(() => this.opened()),
      message: ifCurrent((frame: Buffer) => this.received(frame)),
      alive: ifCurrent(() => void (this.heard = true)),
      lost: ifCurrent((why: WireLoss) => this.lost(why)),
    });
  }

  private disconnect(): void {
    this.connection += 1;
    this.sink.send = undefined;
    this.outbox.pause();
    this.cancel('ping');
    this.cancel('peek');
    this.paused = false;
    const { wire } = this;
    this.wire = undefined;
    wire?.close();
  }

  private opened(): void {
    const wire = this.wire as Wire;
    wire.send(openingFrame(this.token, this.options.clientVersion));
    this.sink.send = (frame) => wire.send(frame);
    this.heard = true;
    this.keepAlive();
    this.outbox.sendAllAgain();
    this.pauseIfFull();
    if (this.wasOpen) return;
    this.wasOpen = true;
    this.events.open();
  }

  private keepAlive(): void {
    this.later('ping', PING_MS, () => {
      if (this.outbox.stalledFor > SILENCE_MS) {
        this.fail(
          new MngrFargateError('unreachable', 'the agent at the other end of the session has stopped answering', {
            hint: 'check that the task is running, and connect again',
          }),
        );
      } else if (!this.heard && !this.paused) {
        this.lost({ reason: 'the connection no longer answers' });
      } else {
        this.heard = false;
        this.wire?.ping();
        this.keepAlive();
      }
    });
  }

  private received(frame: Buffer): void {
    this.heard = true;
    const message = decodeMessage(frame);
    // A damaged message isn't acknowledged, so that it is sent again.
    if (message === undefined) return;
    this.attempts = 0;
    if (message.type === MESSAGE_TYPES.acknowledge) {
      const sequence = acknowledgedSequence(message.payload);
      if (sequence !== undefined) this.outbox.acknowledged(sequence);
    } else if (message.type === MESSAGE_TYPES.output) {
      this.receivedData(message);
    } else if (message.type === MESSAGE_TYPES.channelClosed) {
      this.closed(message.payload);
    }
    // `pause_publication` is left to acknowledgements: who stops writing for it loses data.
  }

  private receivedData(message: Message): void {
    if (this.inbox.receive(message) === 'acknowledge') this.sink.send?.(acknowledgementOf(message));
    this.pauseIfFull();
  }

  private deliver({ payloadType, payload }: Message): void {
    if (!this.ended) this.events.message(payloadType, payload);
  }

  private closed(payload: Buffer): void {
    const { Output: output } = jsonObject(payload);
    const missing = this.inbox.hasGap;
    this.end();
    if (missing) {
      const problem = 'the session ended before all of its output had arrived';
      this.events.failed(new MngrFargateError('failed', problem, { details: { reason: output } }));
    } else {
      this.events.closed(typeof output === 'string' ? output : '');
    }
  }

  private pauseIfFull(): void {
    if (this.paused || this.ended || this.wire === undefined || this.events.pending() < this.limits.pauseBytes) return;
    this.paused = true;
    this.wire.pause();
    this.later('peek', PEEK_MS, () => this.continueReading());
  }

  private continueReading(): void {
    this.cancel('peek');
    this.paused = false;
    this.wire?.resume();
  }

  private lost(why: WireLoss): void {
    this.disconnect();
    const { newToken } = this.options;
    if (newToken === undefined || this.attempts >= RETRIES) {
      this.fail(lossProblem(why, this.attempts));
      return;
    }
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts);
    this.attempts += 1;
    this.later('retry', wait, () => void this.reconnect(newToken));
  }

  private async reconnect(newToken: NonNullable<DataChannelOptions['newToken']>): Promise<void> {
    try {
      const token = await newToken(this.abandon.signal);
      if (this.ended) return;
      if (token === undefined) {
        this.fail(new MngrFargateError('not-found', 'the session no longer exists, so it cannot be resumed'));
        return;
      }
      this.token = token;
      this.connect();
    } catch (error) {
      if (this.ended) return;
      if (isLastingRefusal(error)) this.fail(error);
      else this.lost({ reason: (error as Error).message });
    }
  }

  private fail(error: MngrFargateError): void {
    if (this.ended) return;
    this.end();
    this.events.failed(error);
  }

  private later(name: 'ping' | 'retry' | 'peek', milliseconds: number, work: () => void): void {
    this.cancel(name);
    this.timers.set(
      name,
      this.options.clock.after(milliseconds, () => {
        this.timers.delete(name);
        work();
      }),
    );
  }

  private cancel(name: 'ping' | 'retry' | 'peek'): void {
    this.timers.get(name)?.();
    this.timers.delete(name);
  }
}

const isLastingRefusal = (error: unknown): error is MngrFargateError =>
  error instanceof MngrFargateError && ['denied', 'not-found', 'usage'].includes(error.code);

function lossProblem({ reason, closeCode, status }: WireLoss, attempts: number): MngrFargateError {
  const tries = attempts === 0 ? '' : `, and ${attempts} tries to resume it failed`;
  const refused = closeCode === 1008 || status === 401 || status === 403;
  return new MngrFargateError(
    refused ? 'denied' : 'unreachable',
    refused
      ? `the session was refused: ${oneLine(reason)}${tries}`
      : `the connection of the session was lost: ${oneLine(reason)}${tries}`,
    {
      hint: refused
        ? 'start a new session: a token is valid only for a moment, and the caller needs ssmmessages:OpenDataChannel'
        : 'check the network, and connect again',
      details: { closeCode, status },
    },
  );
}
