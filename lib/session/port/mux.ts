import { Duplex } from 'node:stream';
import { MngrFargateError } from '../../contract/errors';
import { excessOf, READ_AHEAD_BYTES } from '../protocol/read-ahead';
import { encodeMuxFrame, LONGEST_FRAME, MUX, MuxDecoder } from './mux-frame';

/** Ids of a client's streams are odd; the first that the official client uses is 3. */
const FIRST_STREAM = 3;

type Done = (error?: Error | null) => void;

export interface MuxTransport {
  write(bytes: Buffer, done: Done): void;
  /** A stream has made room. */
  consumed(): void;
}

const NOTHING = Buffer.alloc(0);

/** The client's side of smux, version 1: many streams over one. */
export class Mux {
  private readonly decoder = new MuxDecoder();
  private readonly streams = new Map<number, MuxStream>();
  private next = FIRST_STREAM;
  /** Connections that the agent has said it could not make, and whose streams it has yet to close. */
  private refused = 0;
  private problem: MngrFargateError | undefined;

  constructor(private readonly transport: MuxTransport) {}

  open(): Duplex {
    const id = this.next;
    this.next += 2;
    const stream = new MuxStream({
      send: (command, payload, done) => this.send(command, id, payload, done),
      consumed: () => this.transport.consumed(),
      closed: () => {
        this.streams.delete(id);
        this.transport.consumed();
      },
    });
    this.streams.set(id, stream);
    this.send(MUX.syn, id, NOTHING, () => undefined);
    return stream;
  }

  /** Bytes that streams hold beyond what their readers are given ahead. */
  pending(): number {
    let bytes = 0;
    for (const stream of this.streams.values()) bytes += excessOf(stream);
    return bytes;
  }

  received(bytes: Buffer): void {
    for (const { command, stream: id, payload } of this.decoder.push(bytes)) {
      const stream = this.streams.get(id);
      if (stream === undefined) continue;
      if (command === MUX.psh) stream.received(payload);
      else if (command === MUX.fin) this.finished(stream);
    }
  }

  /** The agent could not connect; it closes the stream next. */
  refusedConnection(): void {
    this.refused += 1;
  }

  keepAlive(): void {
    this.send(MUX.nop, 0, NOTHING, () => undefined);
  }

  /** The session is over. Streams that are open break; with an ordinary end, too: theirs was not. */
  over(error: MngrFargateError): void {
    this.problem = error;
    for (const stream of [...this.streams.values()]) stream.destroy(error);
  }

  private finished(stream: MuxStream): void {
    if (this.refused > 0 && !stream.hasReceived) {
      this.refused -= 1;
      stream.destroy(
        new MngrFargateError('unreachable', 'the task could not connect to the port', {
          hint: 'check that something is listening on that port there',
        }),
      );
    } else stream.endOfInput();
  }

  private send(command: number, stream: number, payload: Buffer, done: Done): void {
    if (this.problem !== undefined) done(this.problem);
    else this.transport.write(encodeMuxFrame({ command, stream, payload }), done);
  }
}

interface StreamOwner {
  send(command: number, payload: Buffer, done: Done): void;
  consumed(): void;
  closed(): void;
}

class MuxStream extends Duplex {
  hasReceived = false;
  private hasSentEnd = false;

  constructor(private readonly owner: StreamOwner) {
    super({ readableHighWaterMark: READ_AHEAD_BYTES, allowHalfOpen: true });
    // Whoever waits for `ended` hears of a session that breaks; a stream that nobody listens to must not end the process.
    this.on('error', () => undefined);
  }

  received(payload: Buffer): void {
    this.hasReceived = true;
    if (!this.destroyed && !this.readableEnded) this.push(payload);
  }

  endOfInput(): void {
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    this.owner.consumed();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.writeFrom(chunk, 0, done);
  }

  override _final(done: Done): void {
    this.sendEnd(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.sendEnd(() => undefined);
    this.owner.closed();
    done(error);
  }

  private writeFrom(chunk: Buffer, offset: number, done: Done): void {
    const end = offset + LONGEST_FRAME;
    this.owner.send(MUX.psh, chunk.subarray(offset, end), (error) => {
      if (error || end >= chunk.length) done(error);
      else this.writeFrom(chunk, end, done);
    });
  }

  private sendEnd(done: Done): void {
    if (this.hasSentEnd) {
      done();
      return;
    }
    this.hasSentEnd = true;
    this.owner.send(MUX.fin, NOTHING, done);
  }
}
