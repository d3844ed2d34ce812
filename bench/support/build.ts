import { join } from 'node:path';
import type { Command } from './command';
import { ROOT, TYPESCRIPT } from './paths';

/** Makes dist, as its users have it. */
export const BUILD: Command = {
  program: process.execPath,
  args: [...TYPESCRIPT, join('scripts', 'build.ts'), '--skip-types'],
  cwd: ROOT,
};
