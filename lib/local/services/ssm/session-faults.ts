import * as z from 'zod';

const share = z.number().min(0).max(1).default(0);

export const sessionFaultsSchema = z.strictObject({
  /** Share of the messages between client and agent that are lost, each way: 0 to 1. */
  loss: share,
  /** Milliseconds that each message takes, each way: always the same, or evenly between two figures. */
  delay: z.union([z.number().min(0), z.strictObject({ min: z.number().min(0), max: z.number().min(0) })]).default(0),
  /** Share of the messages that arrive twice. */
  duplicate: share,
  /** Share of the messages that are overtaken by the next. */
  reorder: share,
  /** Number of tokens that are refused from now on; true: all. */
  refuseTokens: z.union([z.boolean(), z.number().int().min(0)]).default(false),
  /** False: the agent makes none of its own pauses. */
  pauses: z.boolean().default(true),
  /** Sessions that an agent runs at once; more wait. Default as AWS's agent. */
  workers: z.number().int().min(1).default(1000),
});

export type SessionFaultSettings = z.infer<typeof sessionFaultsSchema>;

/** Milliseconds after which a message arrives even if no other has overtaken it. */
const OVERTAKEN_WITHIN = 50;

/** Faults between clients and agents, on request. */
export class SessionFaults {
  private settings = sessionFaultsSchema.parse({});

  get current(): SessionFaultSettings {
    return this.settings;
  }

  /** Replaces all settings. */
  set(settings: SessionFaultSettings): void {
    this.settings = { ...settings };
  }

  /** True if this token should be refused although it is valid. */
  takeRefusal(): boolean {
    const { refuseTokens } = this.settings;
    if (typeof refuseTokens === 'boolean') return refuseTokens;
    if (refuseTokens === 0) return false;
    this.settings.refuseTokens = refuseTokens - 1;
    return true;
  }

  takeDelay(): number {
    const { delay } = this.settings;
    return typeof delay === 'number' ? delay : delay.min + Math.random() * Math.max(0, delay.max - delay.min);
  }
}

export const sessionFaults = (): SessionFaults => new SessionFaults();

const happens = (probability: number): boolean => probability > 0 && Math.random() < probability;

/** One direction of a session's messages, with the faults that are set. */
export class FaultyLink {
  private held: Buffer | undefined;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly faults: SessionFaults,
    private readonly deliver: (frame: Buffer) => void,
  ) {}

  pass(frame: Buffer): void {
    const { loss, duplicate, reorder } = this.faults.current;
    if (happens(loss)) return;
    if (this.held === undefined && happens(reorder)) {
      this.held = frame;
      this.after(OVERTAKEN_WITHIN, () => this.release());
      return;
    }
    this.send(frame);
    if (happens(duplicate)) this.send(frame);
    this.release();
  }

  /** Messages in transit no longer arrive. */
  cut(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.held = undefined;
  }

  private release(): void {
    const { held } = this;
    this.held = undefined;
    if (held !== undefined) this.send(held);
  }

  private send(frame: Buffer): void {
    const delay = this.faults.takeDelay();
    if (delay === 0) this.deliver(frame);
    else this.after(delay, () => this.deliver(frame));
  }

  private after(milliseconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, milliseconds);
    this.timers.add(timer);
  }
}
