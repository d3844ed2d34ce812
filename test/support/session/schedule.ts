import { DataChannel } from '../../../lib/session/channel/data-channel';
import type { Wire, WireEvents } from '../../../lib/session/channel/wire';
import type { MngrFargateError } from '../../../lib/session';
import { AgentModel } from './agent-model';
import { VirtualClock } from './virtual-clock';

/** What happens to the messages of one session. */
export interface Schedule {
  readonly seed: number;
  /** Messages of each side. */
  readonly fromClient: number;
  readonly fromAgent: number;
  /** Share of the frames that get lost, come twice, or come late. */
  readonly loss: number;
  readonly duplication: number;
  readonly lateness: number;
  /** Milliseconds each way; late frames take up to twenty times as long, and are overtaken. */
  readonly delay: number;
  /** Moments at which the connection breaks, in milliseconds. */
  readonly cuts: readonly number[];
  /** Whether the client's consumer stops now and then. */
  readonly stalls: boolean;
}

/** Virtual milliseconds after which everything must have arrived. */
const LIMIT_MS = 3_600_000;
/** Of bad weather. Afterwards each frame arrives. */
const WEATHER_MS = 30_000;
const PAYLOAD = 1;
/** Small, so that a handful of messages fills it. */
const LIMITS = { pauseBytes: 60, resumeBytes: 20, dropBytes: 120 };

/** A pseudo-random sequence (mulberry32): a schedule is its seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Any schedule, decided by a seed. */
export function scheduleOf(seed: number): Schedule {
  const next = random(seed);
  const upTo = (limit: number): number => Math.floor(next() * limit);
  return {
    seed,
    fromClient: upTo(40),
    fromAgent: upTo(40),
    loss: next() < 0.3 ? 0 : next() * 0.5,
    duplication: next() < 0.3 ? 0 : next() * 0.5,
    lateness: next() < 0.3 ? 0 : next() * 0.5,
    delay: upTo(150),
    cuts: Array.from({ length: upTo(4) }, () => upTo(8_000)),
    stalls: next() < 0.5,
  };
}

/** Plays a schedule. Throws unless every message arrives at both ends, once and in order. */
export async function play(schedule: Schedule): Promise<void> {
  const clock = new VirtualClock();
  const network = new Network(clock, schedule);
  const atAgent: string[] = [];
  const atClient: string[] = [];
  const agent = new AgentModel({ clock, received: (_type, payload) => void atAgent.push(payload.toString()) });
  const consumer = new Consumer(clock, schedule, atClient);
  let failure: MngrFargateError | undefined;
  const channel = new DataChannel(
    {
      clock,
      token: 'first',
      clientVersion: '1.2.707.0',
      dial: (events) => network.dial(events, agent),
      newToken: () => Promise.resolve('next'),
      limits: LIMITS,
    },
    {
      open: () => undefined,
      message: (_type, payload) => consumer.take(payload.toString()),
      pending: () => consumer.pending,
      closed: () => undefined,
      failed: (error) => void (failure = error),
    },
  );
  consumer.onRoom = () => channel.consumed();
  channel.start();
  const spread = random(schedule.seed + 1);
  for (const [count, write] of [
    [schedule.fromClient, (text: string) => channel.outbox.send(PAYLOAD, Buffer.from(text))],
    [schedule.fromAgent, (text: string) => agent.write(PAYLOAD, Buffer.from(text))],
  ] as const) {
    let at = 0;
    for (let index = 0; index < count; index++) {
      at += spread() * 200;
      clock.after(at, () => write(`${index};`));
    }
  }
  for (const at of schedule.cuts) clock.after(at, () => network.cut());
  const isDone = (): boolean =>
    failure !== undefined || (atAgent.length >= schedule.fromClient && atClient.length >= schedule.fromAgent);
  try {
    await clock.runUntil(isDone, LIMIT_MS);
    if (failure !== undefined) throw failure;
    expectInOrder(atAgent, schedule.fromClient, 'the agent');
    expectInOrder(atClient, schedule.fromAgent, 'the client');
  } catch (error) {
    throw new Error(`schedule ${JSON.stringify(schedule)}: ${(error as Error).message}`, { cause: error });
  } finally {
    channel.end();
    agent.stop();
  }
}

function expectInOrder(received: readonly string[], count: number, where: string): void {
  const [got, wanted] = [received.join(''), Array.from({ length: count }, (_, index) => `${index};`).join('')];
  if (got !== wanted) throw new Error(`${where} received ${got} instead of ${wanted}`);
}

/** A reader that takes what it gets at once, or stops for some time. */
class Consumer {
  pending = 0;
  onRoom: () => void = () => undefined;
  private readonly next: () => number;
  private stalled = false;
  private readonly queue: string[] = [];

  constructor(
    private readonly clock: VirtualClock,
    private readonly schedule: Schedule,
    private readonly taken: string[],
  ) {
    this.next = random(schedule.seed + 2);
  }

  take(text: string): void {
    this.queue.push(text);
    this.pending += text.length;
    if (this.stalled) return;
    if (this.schedule.stalls && this.clock.now() < WEATHER_MS && this.next() < 0.2) {
      this.stalled = true;
      this.clock.after(this.next() * 5_000, () => this.wake());
    } else this.drain();
  }

  private wake(): void {
    this.stalled = false;
    this.drain();
    this.onRoom();
  }

  private drain(): void {
    this.taken.push(...this.queue.splice(0));
    this.pending = 0;
  }
}

/** A network that loses, delays, doubles and reorders frames, and breaks connections. */
class Network {
  private readonly next: () => number;
  private current: { readonly events: WireEvents; readonly agent: AgentModel } | undefined;

  constructor(
    private readonly clock: VirtualClock,
    private readonly schedule: Schedule,
  ) {
    this.next = random(schedule.seed + 3);
  }

  dial(events: WireEvents, agent: AgentModel): Wire {
    const connection = { events, agent };
    let paused = false;
    const held: Buffer[] = [];
    const isOpen = (): boolean => this.current === connection;
    const toClient = (frame: Buffer): void => {
      if (!isOpen()) return;
      if (paused) held.push(frame);
      else events.message(Buffer.from(frame));
    };
    this.clock.after(this.schedule.delay, () => {
      this.current = connection;
      agent.send = (frame) => this.carry(() => toClient(frame));
      events.open();
    });
    return {
      send: (frame) => {
        if (typeof frame === 'string') return;
        // A socket may send later what it was given, but what was in its buffer then.
        const copy = Buffer.from(frame);
        this.carry(() => {
          if (isOpen()) agent.take(copy);
        });
      },
      ping: () => this.carry(() => isOpen() && events.alive()),
      pause: () => void (paused = true),
      resume: () => {
        paused = false;
        while (!paused && held.length > 0) events.message(held.shift() as Buffer);
      },
      close: () => {
        if (isOpen()) this.forget();
      },
    };
  }

  cut(): void {
    const { current } = this;
    if (current === undefined) return;
    this.forget();
    current.events.lost({ reason: 'cut' });
  }

  private forget(): void {
    if (this.current !== undefined) this.current.agent.send = undefined;
    this.current = undefined;
  }

  /** Delivers a frame as the schedule has it. */
  private carry(deliver: () => void): void {
    const { loss, duplication, lateness, delay } = this.schedule;
    const fair = this.clock.now() > WEATHER_MS;
    if (!fair && this.next() < loss) return;
    const copies = !fair && this.next() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = !fair && this.next() < lateness;
      this.clock.after(late ? delay * 20 * this.next() : delay, deliver);
    }
  }
}
