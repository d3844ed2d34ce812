import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from '../../../lib/util/file-lock';

/** Runs `work` while no other process of this machine does the same under this name. */
export const withMachineLock = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  withFileLock(join(tmpdir(), `mngr-fargate-${name}`), work, { timeoutMs: 15 * 60_000 });

/** For tests whose pool of task addresses has so few that two of them would be in each other's way. */
export const withSmallAddressPool = (work: () => Promise<void>): Promise<void> =>
  withMachineLock('small-address-pool', work);
