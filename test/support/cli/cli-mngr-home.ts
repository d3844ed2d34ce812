import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A base directory of mngr's for one test, with a config.toml if a text is given. */
export function mngrHome(config?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-home-'));
  homes.push(folder);
  const base = join(folder, '.mngr');
  if (config !== undefined) {
    mkdirSync(base);
    writeFileSync(join(base, 'config.toml'), config);
  }
  return base;
}

const homes: string[] = [];

afterAll(() => {
  for (const folder of homes) rmSync(folder, { recursive: true, force: true });
});
