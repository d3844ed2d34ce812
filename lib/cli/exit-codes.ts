import type { MngrFargateErrorCode } from '../contract/errors';

/** Exit codes of the program (docs/cli.md). `exec` and `connect` pass the remote command's own code through. */
export const EXIT_CODES: Readonly<Record<MngrFargateErrorCode, number>> = {
  failed: 1,
  usage: 2,
  'not-found': 3,
  'already-exists': 4,
  denied: 5,
  'no-capacity': 6,
  'timed-out': 7,
  'unverified-host-key': 8,
  'task-stopped': 9,
  unreachable: 10,
  'agent-not-ready': 11,
  aborted: 130,
};

/** The user answered no; nothing was done. */
export const EXIT_DECLINED = 1;

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
};

/** What a shell makes of a program that a signal ended: 128 and the signal's number. `signal` with or without `SIG`. */
export const exitCodeOfSignal = (signal: string): number => 128 + (SIGNAL_NUMBERS[signal.replace(/^SIG/, '')] ?? 0);

/** The reader of our output went away. */
export const EXIT_BROKEN_PIPE = exitCodeOfSignal('PIPE');
