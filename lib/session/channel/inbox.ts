import type { Message } from '../wire/message';

/** Messages that are kept because an earlier one is missing. The official client keeps as many. */
const MOST_AHEAD = 10_000;

/** What a received message means for the sender. */
export type Receipt = 'acknowledge' | 'drop';

/** Puts the messages of the other side in order, each once. */
export class Inbox {
  private expected = 0;
  private readonly ahead = new Map<number, Message>();
  private bytesAhead = 0;

  constructor(
    private readonly deliver: (message: Message) => void,
    /** Bytes for which there is room now. */
    private readonly room: () => number,
  ) {}

  /** Whether a message is missing, with later ones here. */
  get hasGap(): boolean {
    return this.ahead.size > 0;
  }

  /** Takes a message. One without room is dropped, so that the sender sends it again. */
  receive(message: Message): Receipt {
    // The acknowledgement of a message that came twice may be lost.
    if (message.sequence < this.expected || this.ahead.has(message.sequence)) return 'acknowledge';
    const room = this.room();
    if (message.sequence > this.expected) {
      if (this.ahead.size >= MOST_AHEAD || this.bytesAhead + message.payload.length > room) return 'drop';
      this.ahead.set(message.sequence, message);
      this.bytesAhead += message.payload.length;
      return 'acknowledge';
    }
    // What is kept for later doesn't count here: it would keep out the message that it waits for.
    if (room <= 0) return 'drop';
    this.take(message);
    return 'acknowledge';
  }

  private take(message: Message): void {
    let next: Message | undefined = message;
    while (next !== undefined) {
      this.expected += 1;
      this.deliver(next);
      next = this.ahead.get(this.expected);
      if (next === undefined) return;
      this.ahead.delete(this.expected);
      this.bytesAhead -= next.payload.length;
    }
  }
}
