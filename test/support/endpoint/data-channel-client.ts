import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import WebSocket from 'ws';

/** A stream as ExecuteCommand and StartSession answer it. */
export interface Stream {
  readonly streamUrl: string;
  readonly tokenValue: string;
}

/** A message of the data channel, as far as the tests look at it. */
export interface Frame {
  readonly type: string;
  readonly sequence: number;
  readonly flags: number;
  readonly id: string;
  readonly payloadType: number;
  readonly payload: Buffer;
  /** True when the digest is that of the payload. */
  readonly digestHolds: boolean;
}

export function encodeFrame(frame: {
  readonly type: string;
  readonly sequence: number;
  readonly payloadType: number;
  readonly payload: Buffer;
  readonly flags?: number;
}): Buffer {
  const head = Buffer.alloc(120);
  head.writeUInt32BE(116, 0);
  head.fill(' ', 4, 36);
  head.write(frame.type, 4, 'ascii');
  head.writeUInt32BE(1, 36);
  head.writeBigUInt64BE(BigInt(Date.now()), 40);
  head.writeBigInt64BE(BigInt(frame.sequence), 48);
  head.writeBigUInt64BE(BigInt(frame.flags ?? 0), 56);
  const id = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  id.copy(head, 64, 8, 16);
  id.copy(head, 72, 0, 8);
  createHash('sha256').update(frame.payload).digest().copy(head, 80);
  head.writeUInt32BE(frame.payloadType, 112);
  head.writeUInt32BE(frame.payload.length, 116);
  return Buffer.concat([head, frame.payload]);
}

export function decodeFrame(data: Buffer): Frame {
  const payload = data.subarray(data.readUInt32BE(0) + 4);
  const id = Buffer.concat([data.subarray(72, 80), data.subarray(64, 72)]).toString('hex');
  return {
    type: data.toString('ascii', 4, 36).trim(),
    sequence: Number(data.readBigInt64BE(48)),
    flags: Number(data.readBigUInt64BE(56)),
    id: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-'),
    payloadType: data.readUInt32BE(112),
    payload,
    digestHolds: createHash('sha256').update(payload).digest().equals(data.subarray(80, 112)),
  };
}

/** The frame that opens a channel. */
export const openFrame = (tokenValue: string): string =>
  JSON.stringify({
    MessageSchemaVersion: '1.0',
    RequestId: randomUUID(),
    TokenValue: tokenValue,
    ClientId: randomUUID(),
    ClientVersion: '1.2.650.0',
  });

const acknowledgement = ({ type, id, sequence }: Frame): Buffer =>
  encodeFrame({
    type: 'acknowledge',
    sequence: 0,
    flags: 3,
    payloadType: 0,
    payload: Buffer.from(
      JSON.stringify({
        AcknowledgedMessageType: type,
        AcknowledgedMessageId: id,
        AcknowledgedMessageSequenceNumber: sequence,
        IsSequentialMessage: true,
      }),
    ),
  });

/** Milliseconds after which the client sends again what has not been acknowledged. */
const RESEND_AFTER = 200;

/**
 * A client of the data channel with nothing but what a test needs, written from what is known of the protocol. It puts
 * output in order, acknowledges it, and sends input until it is acknowledged.
 */
export class DataChannelClient {
  /** Every frame as it arrived. */
  readonly frames: Frame[] = [];
  /** What came in order as output. */
  output = Buffer.alloc(0);
  /** The output of the channel_closed message, once it is here. */
  closedWith: string | undefined;
  /** The WebSocket's close code, once it is closed. */
  closeCode: number | undefined;
  /** True: nothing is acknowledged. */
  mute = false;
  /** Takes sequenced messages other than output, for example a handshake's. */
  onMessage: (frame: Frame) => void = () => undefined;
  /** Numbers of input that the agent has acknowledged, each time it has. */
  readonly acknowledged: number[] = [];

  private readonly events = new EventEmitter<{ change: [] }>().setMaxListeners(0);
  private readonly early = new Map<number, Frame>();
  private readonly unacknowledged = new Map<number, Buffer>();
  private expected = 0;
  private nextInput = 0;
  private socket: WebSocket | undefined;
  private readonly resending = setInterval(() => this.resend(), RESEND_AFTER);

  /** Opens the channel; the same client can do it again after a cut. */
  async open({ streamUrl, tokenValue }: Stream, headers: Readonly<Record<string, string>> = {}): Promise<this> {
    const socket = new WebSocket(streamUrl, { headers });
    this.socket = socket;
    this.closeCode = undefined;
    socket.on('message', (data: Buffer) => this.take(decodeFrame(data)));
    socket.on('close', (code) => {
      if (this.socket === socket) this.closeCode = code;
      this.events.emit('change');
    });
    await once(socket, 'open');
    socket.on('error', () => undefined);
    socket.send(openFrame(tokenValue));
    return this;
  }

  /** Sends input, again and again until it is acknowledged. */
  send(payloadType: number, payload: Buffer | string): void {
    const sequence = this.nextInput++;
    const frame = encodeFrame({ type: 'input_stream_data', sequence, payloadType, payload: Buffer.from(payload) });
    this.unacknowledged.set(sequence, frame);
    this.sendRaw(frame);
  }

  type(text: string): void {
    this.send(1, text);
  }

  sendRaw(frame: Buffer): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
  }

  /** Resolves when the condition holds, which is looked at after each message. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.events, 'change');
  }

  /** Resolves with the text of channel_closed. */
  async closed(): Promise<string> {
    await this.until(() => this.closedWith !== undefined);
    return this.closedWith as string;
  }

  close(): void {
    clearInterval(this.resending);
    this.socket?.terminate();
  }

  private take(frame: Frame): void {
    this.frames.push(frame);
    if (frame.type === 'acknowledge') {
      const { AcknowledgedMessageSequenceNumber: sequence } = JSON.parse(frame.payload.toString()) as Record<
        string,
        number
      >;
      this.acknowledged.push(sequence as number);
      this.unacknowledged.delete(sequence as number);
    } else if (frame.type === 'channel_closed') {
      this.closedWith = (JSON.parse(frame.payload.toString()) as { readonly Output: string }).Output;
      clearInterval(this.resending);
    } else if (frame.type === 'output_stream_data' && !this.mute) {
      this.sendRaw(acknowledgement(frame));
      if (frame.sequence >= this.expected) this.early.set(frame.sequence, frame);
      this.takeInOrder();
    }
    this.events.emit('change');
  }

  private takeInOrder(): void {
    for (let frame = this.early.get(this.expected); frame !== undefined; frame = this.early.get(this.expected)) {
      this.early.delete(this.expected);
      this.expected += 1;
      if (frame.payloadType === 1) this.output = Buffer.concat([this.output, frame.payload]);
      else this.onMessage(frame);
    }
  }

  private resend(): void {
    for (const frame of this.unacknowledged.values()) this.sendRaw(frame);
  }
}
