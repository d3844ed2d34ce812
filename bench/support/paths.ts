import { join } from 'node:path';

/** The package's own folder. */
export const ROOT = join(__dirname, '..', '..');

/** Arguments that let a `node` of ours run TypeScript, as this process does. */
export const TYPESCRIPT = ['--import', 'tsx'];
