/** One line of a bench's result: a figure, what it is compared with in the same run, and their ratio. */
export interface Row {
  readonly what: string;
  /** With its unit, for example `312 ms`. */
  readonly measured: string;
  /** The floor or the peer, with its name and unit, for example `floor 140 ms`. */
  readonly against: string;
  readonly ratio: number;
  readonly aim?: string;
  /** Whether the aim was reached; absent where there is none. */
  readonly met?: boolean;
}

export interface BenchResult {
  readonly rows: readonly Row[];
  /** Sentences that the figures need to be understood: how many, under which conditions, what went wrong. */
  readonly notes?: readonly string[];
}

export interface BenchOptions {
  /** Fewer repetitions: to see that a bench works, not to publish its figures. */
  readonly quick: boolean;
  /** Says what is going on, one line at a time. */
  readonly progress: (line: string) => void;
}

export interface Bench {
  /** What is measured, in one sentence. */
  readonly title: string;
  /** What this machine lacks for it; undefined when it can run. Absent: it always can. */
  readonly missing?: () => string | undefined;
  /** Throws when something failed or was left behind: figures of a broken run are none. */
  run(options: BenchOptions): Promise<BenchResult>;
}
