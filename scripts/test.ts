import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findEngine } from '../lib/local/runtimes';
import { prepareBaseImage } from './base-image';
import { ensureSystemPackages, offerBrowser } from './prerequisites';

/**
 * `npm test`: everything. What the machine lacks is installed or named first, and the command line is built, so that the
 * tests run what users run; suites that the machine can't run are skipped and listed at the end with the reason.
 * Arguments go to Jest (paths, `-t NAME`); `--containers` runs the suites that need a container engine and no others.
 * The exit code is Jest's.
 */
const args = process.argv.slice(2);
const containers = args.includes('--containers');
const forJest = args.filter((arg) => arg !== '--containers');

async function main(): Promise<void> {
  ensureSystemPackages();
  if (process.argv.length === 2) offerBrowser();
  if ((await findEngine()) !== undefined) {
    await prepareBaseImage().catch((error: Error) => console.error(`no base image for containers: ${error.message}`));
  }
  build();
  const jest = join(__dirname, '..', 'node_modules', 'jest', 'bin', 'jest.js');
  const which = containers ? ['--testPathPatterns', String.raw`\.container\.test\.ts$`] : [];
  const child = spawn(process.execPath, [jest, ...which, ...forJest], { stdio: 'inherit', cwd: join(__dirname, '..') });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.once('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** Ends the program when the build fails: what is wrong is on the terminal. */
function build(): void {
  const words = ['--import', 'tsx', join(__dirname, 'build.ts'), '--skip-types'];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit', cwd: join(__dirname, '..') });
  if (status !== 0) process.exit(1);
}

void main();
