import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** This package's own folder, from the sources as well as from the compiled files below `dist/`. */
export function packageRoot(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && isOurs(manifest)) return folder;
  }
  throw new Error(`no package.json of mngr-fargate above ${__dirname}: was the package bundled into one file?`);
}

const isOurs = (manifest: string): boolean =>
  (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'mngr-fargate';
