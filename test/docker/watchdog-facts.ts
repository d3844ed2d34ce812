import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../support/run/paths';

const FOLDER = join(ROOT, 'docker/watchdog');

/** What programs of the watchdog print for these facts, one line each. */
export function judge(
  programs: readonly string[],
  facts: readonly string[],
  variables: readonly string[] = [],
): string[] {
  const files = programs.flatMap((name) => ['-f', join(FOLDER, name)]);
  const settings = variables.flatMap((text) => ['-v', text]);
  const { stdout, stderr, status } = spawnSync('awk', [...settings, ...files], {
    input: `${facts.join('\n')}\n`,
    encoding: 'utf8',
  });
  if (status !== 0 || stderr !== '') throw new Error(`awk ended with ${status}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}
