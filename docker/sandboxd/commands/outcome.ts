import type { CommandResult } from '../../../lib/contract/sandboxd';

/** How a command ended, without what its output says. */
export interface Outcome {
  readonly reason: CommandResult['reason'];
  readonly exitCode?: number;
  readonly signal?: string;
  readonly detail?: string;
}

export const outcomeOfExit = (exitCode: number | null, signal: string | null): Outcome =>
  signal === null ? { reason: 'exit', exitCode: exitCode ?? 0 } : { reason: 'signal', signal };
