import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../../lib/local/daemon/lock';

/** Runs `work` while no other process of this machine does the same under this name. */
export const withMachineLock = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  withLock(join(tmpdir(), `mngr-fargate-${name}.lock`), work);
