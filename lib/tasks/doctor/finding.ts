import type { DoctorFacts } from './facts';

/** `error`: it doesn't work; `warning`: it may not, or not as safely as it should; `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  /** Stable: programs may compare it. */
  readonly id: string;
  readonly severity: Severity;
  /** What is wrong and why it matters, as a sentence without a period. */
  readonly message: string;
  /** What was seen. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** A command, or a sentence where no command does it; null where there is nothing to fix. */
  readonly fix: string | null;
}

/** One thing that is looked at. It throws where it can't see what it needs: the check is then listed as not made. */
export interface Check {
  readonly id: string;
  readonly run: (facts: DoctorFacts) => Promise<readonly Finding[]>;
}

/** A check that could not be made. */
export interface Unchecked {
  readonly id: string;
  readonly reason: string;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly unchecked: readonly Unchecked[];
}
