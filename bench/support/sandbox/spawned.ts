import { spawn } from 'node:child_process';
import type { Times } from './contender';

/** Runs a program for each command line, as clients do that keep no shell, and reads all that it writes. */
export function timeSpawned([program = '', ...args]: readonly string[]): Promise<Times> {
  const start = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let firstByte = 0;
  child.stdout.on('data', () => (firstByte ||= performance.now() - start));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve({ firstByte, total: performance.now() - start });
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}`));
    });
  });
}
