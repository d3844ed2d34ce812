import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package: the nearest one above that has a package.json, from the sources and from dist alike. */
export function packageDirectory(start: string = __dirname): string {
  if (existsSync(join(start, 'package.json'))) return start;
  return packageDirectory(dirname(start));
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageDirectory(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
