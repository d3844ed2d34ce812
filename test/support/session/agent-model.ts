import type { Clock } from '../../../lib/session';
import type { Frame } from './frames';
import { idOf, readFrame, writeFrame } from './frames';

const SCAN_MS = 100;
const RESEND_MS = 200;

export interface AgentModelOptions {
  readonly clock: Clock;
  /** One message of the client's, in order, once. */
  readonly received: (payloadType: number, payload: Buffer) => void;
  /** Whether the handler takes data now. What it doesn't take isn't acknowledged. Default: always. */
  readonly ready?: (payloadType: number) => boolean;
}

interface Outgoing {
  readonly sequence: number;
  readonly id: string;
  readonly frame: Buffer;
  sentAt: number;
}

/** The agent's end of one data channel: numbers, acknowledges and repeats as AWS's agent does. */
export class AgentModel {
  /** Where frames go; undefined while no connection is there. */
  send: ((frame: Buffer) => void) | undefined;
  /** Numbers of the messages that the client has acknowledged, each as often as it did. */
  readonly acknowledgements: number[] = [];
  private sequence = 0;
  private unacknowledged: Outgoing[] = [];
  private expected = 0;
  private readonly ahead = new Map<number, { readonly payloadType: number; readonly payload: Buffer }>();
  private readonly bySequence = new Map<number, Buffer>();
  private cancelScan: (() => void) | undefined;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly options: AgentModelOptions) {}

  get hasUnacknowledged(): boolean {
    return this.unacknowledged.length > 0;
  }

  write(payloadType: number, payload: Buffer): void {
    const sequence = this.sequence++;
    const frame = writeFrame({ type: 'output_stream_data', sequence, payloadType, payload }, sequence === 0 ? 1n : 0n);
    this.unacknowledged.push({ sequence, id: idOf(readFrame(frame)), frame, sentAt: this.options.clock.now() });
    this.send?.(frame);
    if (this.cancelScan === undefined) this.scan();
  }

  /** A new connection: the service hands over what it has kept meanwhile. */
  attach(send: (frame: Buffer) => void): void {
    this.send = send;
    for (const { frame } of this.unacknowledged) send(frame);
  }

  /** Resolves once the client has acknowledged everything. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.unacknowledged.length === 0) resolve();
      else this.waiting.push(resolve);
    });
  }

  /** Takes a frame of the client's. Throws for one that breaks the protocol. */
  take(bytes: Buffer): void {
    const frame = readFrame(bytes);
    if (frame.type === 'acknowledge') {
      this.acknowledged(JSON.parse(frame.payload.toString()) as Record<string, unknown>);
      return;
    }
    if (frame.type !== 'input_stream_data') throw new Error(`a client sent ${frame.type}`);
    this.checkSameBytes(frame.sequence, bytes);
    if (frame.sequence === this.expected && this.options.ready?.(frame.payloadType) === false) return;
    this.send?.(acknowledgementOf(frame));
    if (frame.sequence < this.expected) return;
    this.ahead.set(frame.sequence, { payloadType: frame.payloadType, payload: Buffer.from(frame.payload) });
    for (let next = this.ahead.get(this.expected); next !== undefined; next = this.ahead.get(this.expected)) {
      this.ahead.delete(this.expected);
      this.expected += 1;
      this.options.received(next.payloadType, next.payload);
    }
  }

  stop(): void {
    this.cancelScan?.();
    this.send = undefined;
  }

  /** A message that is sent again is the same to the last byte. */
  private checkSameBytes(sequence: number, bytes: Buffer): void {
    const before = this.bySequence.get(sequence);
    if (before !== undefined && !before.equals(bytes)) throw new Error(`message ${sequence} changed when sent again`);
    this.bySequence.set(sequence, Buffer.from(bytes));
    this.bySequence.delete(sequence - 5_000);
  }

  private acknowledged(body: Record<string, unknown>): void {
    const { AcknowledgedMessageSequenceNumber: sequence, AcknowledgedMessageId: id } = body;
    this.acknowledgements.push(Number(sequence));
    const index = this.unacknowledged.findIndex((message) => message.sequence === sequence);
    const message = this.unacknowledged[index];
    if (message === undefined) return;
    if (id !== message.id) throw new Error(`message ${String(sequence)} has another id`);
    this.unacknowledged.splice(index, 1);
    if (this.unacknowledged.length === 0) for (const tell of this.waiting.splice(0)) tell();
  }

  private scan(): void {
    const { clock } = this.options;
    this.cancelScan = clock.after(SCAN_MS, () => {
      this.cancelScan = undefined;
      const [oldest] = this.unacknowledged;
      if (oldest === undefined) return;
      if (this.send !== undefined && clock.now() - oldest.sentAt >= RESEND_MS) {
        oldest.sentAt = clock.now();
        this.send(oldest.frame);
      }
      this.scan();
    });
  }
}

function acknowledgementOf(frame: Frame): Buffer {
  const body = {
    AcknowledgedMessageType: frame.type,
    AcknowledgedMessageId: idOf(frame),
    AcknowledgedMessageSequenceNumber: frame.sequence,
    IsSequentialMessage: true,
  };
  const payload = Buffer.from(JSON.stringify(body));
  return writeFrame({ type: 'acknowledge', sequence: 0, payloadType: 0, payload }, 3n);
}
