import { MngrFargateError } from '../../contract/errors';
import type { Clock } from '../channel/clock';
import { DataChannel } from '../channel/data-channel';
import type { DataChannelOptions } from '../channel/data-channel';
import { decodeFlag, encodeFlag, FLAG, PAYLOAD } from '../wire/payload-types';
import type { SessionEnd } from '../types';
import type { Encryption } from './encryption';
import type { Agreement, DataKey } from './handshake';
import { Handshake } from './handshake';

/** Bytes of data in one message. */
const CHUNK = 1024;
/**
 * A command that prints nothing until it is given input, in a session without a handshake, doesn't say that it has
 * begun. After so long it is taken to have, unless the agent acknowledges nothing.
 */
const SILENT_START_MS = 3_000;
/** An agent that has acknowledged a first message either begins a handshake within this time, or needs none. */
const SETTLE_MS = 500;
/** How long `close` waits for what is still on its way, and then for the service to confirm. */
const FLUSH_MS = 2_000;
const GOODBYE_MS = 3_000;

export interface ConversationOptions extends DataChannelOptions {
  readonly sessionId: string;
  readonly kind: 'shell' | 'port';
  readonly dataKey: (keyId: string) => Promise<DataKey>;
  /** Ends the session at the service. Never rejects. */
  readonly terminate: () => Promise<void>;
}

/** The side of a session that faces its user. */
export interface Listener {
  output(bytes: Buffer, payloadType: number): void;
  flag(flag: number): void;
  /** Bytes handed over that nobody has consumed yet. */
  pending(): number;
  /** The session is over: ordinarily without an error. Called once. */
  over(error: MngrFargateError | undefined): void;
}

/** One session with an agent: from the first connection over the handshake to the end. */
export class Conversation {
  /** Resolves when the first connection is open. */
  readonly opened: Promise<void>;
  /** Resolves when the agent takes data. Without a handshake there is no agreement. */
  readonly started: Promise<Agreement | undefined>;
  readonly ended: Promise<SessionEnd>;
  private readonly channel: DataChannel;
  private readonly handshake: Handshake;
  private readonly clock: Clock;
  private listener: Listener | undefined;
  private held: (readonly [payloadType: number, payload: Buffer])[] = [];
  private heldBytes = 0;
  private encryption: Encryption | undefined;
  private state: 'waiting' | 'handshake' | 'started' | 'over' = 'waiting';
  private handshakeWork: Promise<void> = Promise.resolve();
  private cancelStart: (() => void) | undefined;
  private closing: Promise<void> | undefined;
  private readonly settle = {
    opened: settler<void>(),
    started: settler<Agreement | undefined>(),
    ended: settler<SessionEnd>(),
  };

  constructor(private readonly options: ConversationOptions) {
    this.clock = options.clock;
    this.opened = this.settle.opened.promise;
    this.started = this.settle.started.promise;
    this.ended = this.settle.ended.promise;
    this.channel = new DataChannel(options, {
      open: () => this.settle.opened.resolve(),
      message: (payloadType, payload) => this.received(payloadType, payload),
      pending: () => this.heldBytes + (this.listener?.pending() ?? 0),
      closed: (reason) => this.over({ reason, by: this.closing === undefined ? 'service' : 'caller' }),
      failed: (error) => void this.abort(error),
    });
    this.handshake = new Handshake({
      clientVersion: options.clientVersion,
      expects: options.kind,
      dataKey: options.dataKey,
      send: (payloadType, payload) => this.channel.outbox.send(payloadType, payload),
    });
  }

  start(): void {
    this.channel.start();
    if (this.options.kind === 'port') return;
    void this.opened.then(() => {
      if (this.state === 'waiting') this.cancelStart = this.clock.after(SILENT_START_MS, () => this.startSilently());
    }, ignore);
  }

  /** Who gets what the agent sends. What came before is handed over now. */
  listen(listener: Listener): void {
    this.listener = listener;
    const { held } = this;
    this.held = [];
    this.heldBytes = 0;
    for (const [payloadType, payload] of held) this.handOver(payloadType, payload);
  }

  consumed(): void {
    this.channel.consumed();
  }

  /** Sends data, in messages of a kilobyte, as soon as there is room; calls back when all of it is on its way. */
  write(data: Buffer, done: (error?: Error | null) => void): void {
    void this.started.then(() => this.writeFrom(data, 0, done), done);
  }

  /** Calls back when the agent has acknowledged all that was sent. */
  flush(done: (error?: Error | null) => void): void {
    void this.started.then(() => this.channel.outbox.whenEmpty(() => done()), done);
  }

  /** Sends a control message, which needs no room. */
  sendControl(payloadType: number, payload: Buffer): void {
    if (this.state === 'started') this.channel.outbox.send(payloadType, payload);
  }

  get isOver(): boolean {
    return this.state === 'over';
  }

  close(): Promise<void> {
    return (this.closing ??= this.sayGoodbye());
  }

  /** Ends the session, at the service too, because of a problem on this side. Never rejects. */
  abort(error: MngrFargateError): Promise<void> {
    if (!this.isOver) {
      this.sendControl(PAYLOAD.flag, encodeFlag(FLAG.terminateSession));
      this.over(withSession(error, this.options.sessionId));
      this.closing ??= this.options.terminate();
    }
    return this.closing ?? Promise.resolve();
  }

  private async sayGoodbye(): Promise<void> {
    if (this.isOver) return;
    if (this.state === 'started') {
      await this.within(FLUSH_MS, (done) => this.channel.outbox.whenEmpty(done));
      this.sendControl(PAYLOAD.flag, encodeFlag(FLAG.terminateSession));
    }
    await this.options.terminate();
    await this.within(GOODBYE_MS, (done) => void this.ended.then(done, done));
    this.over({ reason: '', by: 'caller' });
  }

  /** Waits for something, for this many milliseconds at most, or until the session is over. */
  private within(milliseconds: number, wait: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(milliseconds, resolve);
      const done = (): void => {
        cancel();
        resolve();
      };
      wait(done);
      void this.ended.then(done, done);
    });
  }

  private writeFrom(data: Buffer, from: number, done: (error?: Error | null) => void): void {
    const { outbox } = this.channel;
    let offset = from;
    while (offset < data.length) {
      if (this.isOver) return done();
      if (!outbox.hasRoom) return outbox.whenRoom(() => this.writeFrom(data, offset, done));
      const chunk = data.subarray(offset, offset + CHUNK);
      outbox.send(PAYLOAD.output, this.encryption === undefined ? chunk : this.encryption.encrypt(chunk));
      offset += chunk.length;
    }
    if (outbox.hasRoom) done();
    else outbox.whenRoom(() => done());
  }

  private received(payloadType: number, payload: Buffer): void {
    if (Handshake.handles(payloadType)) {
      this.continueHandshake(payloadType, payload);
      return;
    }
    if (this.state === 'waiting') this.begin(undefined);
    this.handOver(payloadType, payload);
  }

  private continueHandshake(payloadType: number, payload: Buffer): void {
    this.cancelStart?.();
    if (this.state === 'waiting') this.state = 'handshake';
    this.handshakeWork = this.handshakeWork
      .then(async () => {
        if (this.isOver) return;
        const agreement = await this.handshake.take(payloadType, payload);
        if (agreement === undefined || this.isOver) return;
        this.begin(agreement);
        const { held } = this;
        this.held = [];
        this.heldBytes = 0;
        for (const [type, bytes] of held) this.handOver(type, bytes);
      })
      .catch((error: unknown) => this.abort(problemOf(error)));
  }

  private begin(agreement: Agreement | undefined): void {
    this.cancelStart?.();
    this.encryption = agreement?.encryption;
    this.state = 'started';
    this.settle.started.resolve(agreement);
  }

  /** Asks with an empty message whether the agent is there: one that is in a handshake would drop data. */
  private startSilently(): void {
    if (this.state !== 'waiting') return;
    const { outbox } = this.channel;
    outbox.send(PAYLOAD.output, Buffer.alloc(0));
    outbox.whenEmpty(() => {
      if (this.state !== 'waiting') return;
      this.cancelStart = this.clock.after(SETTLE_MS, () => {
        if (this.state === 'waiting') this.begin(undefined);
      });
    });
  }

  private handOver(payloadType: number, payload: Buffer): void {
    const { listener } = this;
    if (listener === undefined || this.state === 'handshake') {
      this.held.push([payloadType, payload]);
      this.heldBytes += payload.length;
    } else if (payloadType === PAYLOAD.flag) listener.flag(decodeFlag(payload));
    else if (carriesData(payloadType)) this.handOverData(listener, payloadType, payload);
    // Payloads of other types are for newer clients.
  }

  private handOverData(listener: Listener, payloadType: number, payload: Buffer): void {
    const { encryption } = this;
    if (encryption === undefined) {
      listener.output(payload, payloadType);
      return;
    }
    let plain: Buffer;
    try {
      plain = encryption.decrypt(payload);
    } catch (error) {
      const problem = 'the agent sent data that is not encrypted with the key of this session';
      void this.abort(new MngrFargateError('failed', problem, { cause: error }));
      return;
    }
    listener.output(plain, payloadType);
  }

  private over(end: SessionEnd | MngrFargateError): void {
    if (this.isOver) return;
    this.state = 'over';
    this.cancelStart?.();
    this.channel.end();
    const failed = end instanceof MngrFargateError;
    const beforeStart = failed ? end : withSession(endedEarly(end), this.options.sessionId);
    this.settle.opened.reject(beforeStart);
    this.settle.started.reject(beforeStart);
    if (failed) this.settle.ended.reject(end);
    else this.settle.ended.resolve(end);
    this.listener?.over(failed ? end : undefined);
  }
}

const carriesData = (payloadType: number): boolean =>
  payloadType === PAYLOAD.output || payloadType === PAYLOAD.stderr || payloadType === PAYLOAD.exitCode;

const endedEarly = ({ reason, by }: SessionEnd): MngrFargateError =>
  new MngrFargateError(
    by === 'caller' ? 'aborted' : 'failed',
    by === 'caller' ? 'the session was closed before it began' : `the session ended before it began: ${reason}`.trim(),
    { details: { reason } },
  );

const withSession = (error: MngrFargateError, sessionId: string): MngrFargateError => {
  const { code, message, cause, hint, details } = error;
  return new MngrFargateError(code, message, { cause, hint, details: { sessionId, ...details } });
};

/** Any error as one of ours. */
export const problemOf = (error: unknown): MngrFargateError =>
  error instanceof MngrFargateError
    ? error
    : new MngrFargateError('failed', `the session failed: ${(error as Error).message}`, { cause: error });

interface Settler<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: MngrFargateError) => void;
}

/** A promise and what settles it. A rejection that nobody waits for must not crash the process: the streams report it too. */
function settler<T>(): Settler<T> {
  let resolve!: Settler<T>['resolve'];
  let reject!: Settler<T>['reject'];
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(ignore);
  return { promise, resolve, reject };
}

const ignore = (): void => undefined;
