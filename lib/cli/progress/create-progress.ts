import type { Io } from '../io';
import { isInteractive } from '../io';
import { JsonProgress } from './json-progress';
import { LineProgress } from './line-progress';
import type { Progress } from './progress';
import { SpinnerProgress } from './spinner-progress';

export const PROGRESS_STYLES = ['text', 'json'] as const;
export type ProgressStyle = (typeof PROGRESS_STYLES)[number];

/** As text: a spinner a host on a terminal, else a line with its time for each thing that changes. */
export function createProgress(io: Io, names: readonly string[], style: ProgressStyle): Progress {
  if (style === 'json') return new JsonProgress(io.stderr);
  return isInteractive(io.stderr, io.environment) ? new SpinnerProgress(io, names) : new LineProgress(io.stderr);
}
