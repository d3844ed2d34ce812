import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { FLAG, PAYLOAD } from './message';
import type { PluginSession } from './plugin';
import { flagOf, sendFlag, sendPortData } from './port-output';
import type { Dial, PortCarrier } from './port-plugin';
import { finishFrame, MAX_FRAME_DATA, MuxError, MuxReader, nopFrame, pushFrame } from './smux';

/** Bytes of all streams together that may wait for slow connections; beyond that, nothing more is read. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Milliseconds. */
const KEEP_ALIVE_INTERVAL = 10_000;
const KEEP_ALIVE_TIMEOUT = 30_000;

/** A stream of the client's and its connection; data that comes before the connection is open waits for it. */
interface Stream {
  readonly early: Buffer[];
  connection: Socket | undefined;
  /** True once the client has stopped sending. */
  finished: boolean;
}

/** Any number of connections at a time, over smux version 1. Each of the client's streams is a connection to the port. */
export class MultiplexedPort implements PortCarrier {
  private readonly streams = new Map<number, Stream>();
  private readonly outgoing = new PassThrough();
  private receivedSinceTick = false;

  constructor(
    private readonly dial: Dial,
    private readonly keepsAlive: boolean,
  ) {}

  async run(session: PluginSession): Promise<void> {
    const { channel, signal } = session;
    const over = new AbortController();
    const end = (): void => over.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const reader = new MuxReader({
      opened: (id) => void this.open(session, id),
      data: (id, data) => this.deliver(id, data),
      finished: (id) => this.finish(id),
    });
    channel.onInput = (payloadType, payload) => this.take(payloadType, payload, reader, end);
    const timers = this.keepsAlive ? this.keepAlive(end) : [];
    try {
      await Promise.race([this.send(session), aborted(over.signal)]);
    } finally {
      for (const timer of timers) clearInterval(timer);
      for (const { connection } of this.streams.values()) connection?.destroy();
      this.outgoing.destroy();
    }
  }

  private take(payloadType: number, payload: Buffer, reader: MuxReader, end: () => void): boolean {
    if (payloadType === PAYLOAD.flag && flagOf(payload) === FLAG.terminateSession) end();
    if (payloadType !== PAYLOAD.output) return true;
    if (this.waiting() > RECEIVE_BUFFER) return false;
    this.receivedSinceTick = true;
    try {
      reader.push(payload);
    } catch (error) {
      if (!(error instanceof MuxError)) throw error;
      end();
    }
    return true;
  }

  private waiting(): number {
    let bytes = 0;
    for (const { connection, early } of this.streams.values()) {
      bytes += connection?.writableLength ?? early.reduce((sum, { length }) => sum + length, 0);
    }
    return bytes;
  }

  private async open(session: PluginSession, id: number): Promise<void> {
    const stream: Stream = { early: [], connection: undefined, finished: false };
    this.streams.set(id, stream);
    try {
      const connection = await this.dial();
      stream.connection = connection;
      connection.on('error', () => undefined);
      connection.on('drain', () => session.channel.inputReady());
      for (const data of stream.early.splice(0)) connection.write(data);
      if (stream.finished) connection.destroySoon();
      await this.pump(id, connection);
    } catch {
      await sendFlag(session, FLAG.connectToPortError);
    }
    this.streams.delete(id);
    if (!this.outgoing.destroyed) this.outgoing.write(finishFrame(id));
    session.channel.inputReady();
  }

  /** Sends what the connection gives, to its end. */
  private async pump(id: number, connection: Socket): Promise<void> {
    try {
      for await (const data of connection as AsyncIterable<Buffer>) {
        for (let start = 0; start < data.length; start += MAX_FRAME_DATA) {
          const room = this.outgoing.write(pushFrame(id, data.subarray(start, start + MAX_FRAME_DATA)));
          if (!room) await once(this.outgoing, 'drain');
        }
      }
    } catch {
      // A connection that is cut off ends its stream like one that is closed.
    }
  }

  private deliver(id: number, data: Buffer): void {
    const stream = this.streams.get(id);
    if (stream === undefined || stream.finished) return;
    if (stream.connection === undefined) stream.early.push(data);
    else stream.connection.write(data);
  }

  /** The agent closes the whole connection when one side has finished sending. */
  private finish(id: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.finished = true;
    stream.connection?.destroySoon();
  }

  private async send(session: PluginSession): Promise<void> {
    for await (const data of this.outgoing as AsyncIterable<Buffer>) await sendPortData(session, data);
  }

  private keepAlive(end: () => void): readonly NodeJS.Timeout[] {
    return [
      setInterval(() => this.outgoing.write(nopFrame()), KEEP_ALIVE_INTERVAL),
      setInterval(() => {
        if (!this.receivedSinceTick) end();
        this.receivedSinceTick = false;
      }, KEEP_ALIVE_TIMEOUT),
    ];
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
