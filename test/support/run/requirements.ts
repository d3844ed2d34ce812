import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { ROOT } from './paths';
import secondTries from './second-tries.json';

/** What a suite needs from the machine; `missing` says why it can't run here, or undefined when it can. */
export interface Requirement {
  readonly missing: () => string | undefined;
}

const answers = (command: string, ...args: string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
};

/** A Docker-compatible engine that answers. */
export const containerEngine: Requirement = {
  missing: () => (answers('docker', 'version') ? undefined : 'no container engine answers (docker version)'),
};

/** A program on the PATH or in the system directories. */
export const program = (name: string): Requirement => ({
  missing: () =>
    [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) => existsSync(`${folder}/${name}`))
      ? undefined
      : `${name} is not installed`,
});

/** The right to mount file systems, for example a small one that can be filled. */
export const mountRights: Requirement = {
  missing: () => (answers('unshare', '--mount', 'true') ? undefined : 'this user may not mount file systems'),
};

/**
 * A suite that needs something from the machine. Where that is missing the suite is skipped. The tests of its file that
 * second-tries.json lists are repeated once when they fail (docs/decisions/100). The run prints both at its end, with
 * the reasons (test/support/run/closing-reporter.js).
 */
export function describeWith(
  requirements: Requirement | readonly Requirement[],
  name: string,
  suite: () => void,
): void {
  const reasons = [requirements].flat().map((requirement) => requirement.missing());
  const reason = reasons.find((text) => text !== undefined);
  if (reason === undefined) {
    if (hasSecondTries()) jest.retryTimes(1, { logErrorsBeforeRetry: true, retryImmediately: true });
    describe(name, suite);
    return;
  }
  const { skip } = describe;
  skip(`${name} [skipped: ${reason}]`, suite);
}

/** Jest repeats the tests of a whole file; the reporter lets only the listed ones pass by it. */
const hasSecondTries = (): boolean => relative(ROOT, expect.getState().testPath ?? '') in secondTries;
