import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly name?: string;
  readonly version: string;
}

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** This package's own folder, from the sources as well as from the compiled and bundled files below `dist/`. */
export function packageRoot(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && manifestIn(folder).name === 'mngr-fargate') return folder;
  }
  throw new Error(`no package.json of mngr-fargate above ${__dirname}: was the package bundled into one file?`);
}

/** This package's version, as its package.json has it. */
export const packageVersion = (): string => manifestIn(packageRoot()).version;
