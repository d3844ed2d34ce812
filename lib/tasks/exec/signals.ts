import { constants } from 'node:os';

/** The signal, without `SIG`, that a shell's exit status stands for: 128 and its number. Undefined for other statuses. */
export function signalOfStatus(status: number): string | undefined {
  const found = Object.entries(constants.signals).find(([, number]) => number === status - 128);
  return found?.[0].replace(/^SIG/, '');
}
