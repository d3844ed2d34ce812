/**
 * What a figure is compared with:
 * - `floor`: the same work with nothing around it. Nothing can take less, so a ratio below 1 is a fault of the measurement;
 * - `peer`: what others do, or the same under other conditions. Either can be the smaller one;
 * - `limit`: what is allowed. The ratio is the share of it that is used.
 */
export type Comparison = 'floor' | 'peer' | 'limit';

/** One line of a bench's result: a figure, what it is compared with in the same run, and their ratio. */
export interface Row {
  readonly what: string;
  /** With its unit, for example `312 ms`. */
  readonly measured: string;
  readonly comparison: Comparison;
  /** What it is compared with, with its unit, for example `bare SSH 140 ms`. */
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
  /** Throws when something failed or was left behind: a broken run has no figures. */
  run(options: BenchOptions): Promise<BenchResult>;
}

/** The figures that are lower than their floor: the machine was too busy for so few repetitions. */
export const belowFloor = ({ rows }: BenchResult): readonly Row[] =>
  rows.filter(({ comparison, ratio }) => comparison === 'floor' && !(ratio >= 1));
