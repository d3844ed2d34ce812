import { randomUUID } from 'node:crypto';
import { encodeMessage, MESSAGE_TYPES } from '../wire/message';
import type { Clock } from './clock';
import { RetransmissionTimeout } from './retransmission-timeout';

/** Messages that may be on their way at once: 1 MiB of full messages. */
const WINDOW = 1_024;

interface Sent {
  readonly frame: Buffer;
  sentAt: number;
  times: number;
  /** Number of its last transmission. */
  order: number;
}

/** Where frames go. */
export interface FrameSink {
  /** Undefined while nothing is connected. */
  send: ((frame: Buffer) => void) | undefined;
}

/**
 * Numbers the messages of one session, keeps each until it is acknowledged, and sends the oldest again, byte for byte,
 * when its acknowledgement is late.
 */
export class Outbox {
  private next = 0;
  private readonly unacknowledged = new Map<number, Sent>();
  private readonly timeout = new RetransmissionTimeout();
  private readonly waitingForRoom: (() => void)[] = [];
  private waitingForEmpty: (() => void)[] = [];
  private cancelTimer: (() => void) | undefined;
  private transmissions = 0;
  /** The last transmission that was acknowledged. An older one without an acknowledgement is lost, or overtaken. */
  private acknowledgedOrder = 0;
  private sentAgainAt = Number.NEGATIVE_INFINITY;
  /** When something was last acknowledged, or there was nothing to acknowledge. */
  private progressAt: number;

  constructor(
    private readonly clock: Clock,
    private readonly sink: FrameSink,
  ) {
    this.progressAt = clock.now();
  }

  get hasRoom(): boolean {
    return this.unacknowledged.size < WINDOW;
  }

  /** Milliseconds for which messages have been waiting without any being acknowledged. */
  get stalledFor(): number {
    return this.unacknowledged.size === 0 ? 0 : this.clock.now() - this.progressAt;
  }

  /** Sends a message. Senders of data wait for room first. */
  send(payloadType: number, payload: Buffer): void {
    const sequence = this.next++;
    const id = randomUUID();
    const header = { type: MESSAGE_TYPES.input, createdAt: Date.now(), sequence, flags: 0, id };
    const sent: Sent = { frame: encodeMessage({ ...header, payloadType, payload }), sentAt: 0, times: 0, order: 0 };
    if (this.unacknowledged.size === 0) this.progressAt = this.clock.now();
    this.unacknowledged.set(sequence, sent);
    this.transmit(sent);
    this.arm();
  }

  acknowledged(sequence: number): void {
    const sent = this.unacknowledged.get(sequence);
    if (sent === undefined) return;
    const now = this.clock.now();
    if (sent.times === 1) this.timeout.sample(now - sent.sentAt);
    this.progressAt = now;
    this.unacknowledged.delete(sequence);
    this.acknowledgedOrder = Math.max(this.acknowledgedOrder, sent.order);
    this.sendOvertaken();
    if (this.unacknowledged.size === 0) for (const tell of this.waitingForEmpty.splice(0)) tell();
    while (this.hasRoom && this.waitingForRoom.length > 0) this.waitingForRoom.shift()?.();
  }

  /** After a new connection: what was on its way over the old one may be lost, so all of it goes again, in order. */
  sendAllAgain(): void {
    this.progressAt = this.clock.now();
    for (const sent of this.unacknowledged.values()) this.transmit(sent);
    this.arm();
  }

  whenRoom(tell: () => void): void {
    if (this.hasRoom && this.waitingForRoom.length === 0) tell();
    else this.waitingForRoom.push(tell);
  }

  whenEmpty(tell: () => void): void {
    if (this.unacknowledged.size === 0) tell();
    else this.waitingForEmpty.push(tell);
  }

  /** Nothing is connected, or the session is over: stops sending again. */
  pause(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private transmit(sent: Sent): void {
    if (this.sink.send === undefined) return;
    sent.sentAt = this.clock.now();
    sent.times += 1;
    sent.order = ++this.transmissions;
    this.sink.send(sent.frame);
  }

  /** Sends the oldest message again without waiting for the timer, if it is late and later ones have arrived. */
  private sendOvertaken(): void {
    const [oldest] = this.unacknowledged.values();
    if (oldest === undefined || oldest.order > this.acknowledgedOrder || this.dueIn(oldest) > 0) return;
    this.sendAgain(oldest);
  }

  /**
   * Sets the timer for the oldest message. On a slow connection all messages are late, so only one is sent again in each
   * time-out, unless later ones have overtaken it.
   */
  private arm(): void {
    if (this.cancelTimer !== undefined || this.sink.send === undefined) return;
    const [oldest] = this.unacknowledged.values();
    if (oldest === undefined) return;
    const pause = this.sentAgainAt + this.timeout.milliseconds - this.clock.now();
    this.cancelTimer = this.clock.after(Math.max(this.dueIn(oldest), pause, 0), () => {
      this.cancelTimer = undefined;
      this.sendLate();
      this.arm();
    });
  }

  private sendLate(): void {
    const [oldest] = this.unacknowledged.values();
    if (oldest !== undefined && this.dueIn(oldest) <= 0) this.sendAgain(oldest);
  }

  private sendAgain(sent: Sent): void {
    // An agent whose program isn't ready yet acknowledges nothing. The line isn't slow, and the program is soon ready.
    if (this.acknowledgedOrder > 0) this.timeout.backOff();
    this.sentAgainAt = this.clock.now();
    this.transmit(sent);
  }

  private dueIn(sent: Sent): number {
    return sent.sentAt + this.timeout.milliseconds - this.clock.now();
  }
}
