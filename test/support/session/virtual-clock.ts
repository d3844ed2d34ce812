import type { Clock } from '../../../lib/session';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
  cancelled: boolean;
}

/** Time that passes as fast as there is something to do. */
export class VirtualClock implements Clock {
  private time = 0;
  private order = 0;
  /** A binary heap: the next event is the first. */
  private readonly heap: Event[] = [];

  now(): number {
    return this.time;
  }

  after(milliseconds: number, work: () => void): () => void {
    const event: Event = { at: this.time + Math.max(0, milliseconds), order: this.order++, work, cancelled: false };
    this.push(event);
    return () => void (event.cancelled = true);
  }

  /** Runs until the condition holds. Throws when nothing is left to happen, or after so many virtual milliseconds. */
  async runUntil(condition: () => boolean, limit: number): Promise<void> {
    await settle();
    while (!condition()) {
      const event = this.pop();
      if (event === undefined) throw new Error(`nothing happens any more at ${this.time} ms`);
      if (event.cancelled) continue;
      if (event.at > limit) throw new Error(`not done after ${limit} ms`);
      this.time = event.at;
      event.work();
      await settle();
    }
  }

  private push(event: Event): void {
    const { heap } = this;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[index] = heap[parent] as Event;
      index = parent;
    }
    heap[index] = event;
  }

  private pop(): Event | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

const isBefore = (left: Event, right: Event): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order);

/** Lets promises that are due go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await Promise.resolve();
}
