import type { Io } from '../io';
import { isInteractive } from '../io';
import { LineProgress } from './line-progress';
import type { Progress } from './progress';
import { SpinnerProgress } from './spinner-progress';

/** A spinner a host on a terminal, else a line with its time for each thing that changes. */
export const createProgress = (io: Io, names: readonly string[]): Progress =>
  isInteractive(io.stderr, io.environment) ? new SpinnerProgress(io, names) : new LineProgress(io.stderr);
