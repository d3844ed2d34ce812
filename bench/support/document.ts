import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from './paths';

const DOCUMENT = join(ROOT, 'docs', 'benchmarks.md');

/**
 * Puts a bench's figures between `<!-- figures of NAME -->` and `<!-- end -->` in docs/benchmarks.md. Throws when the
 * document has no such place.
 */
export async function writeFigures(name: string, markdown: string): Promise<void> {
  const text = await readFile(DOCUMENT, 'utf8');
  const start = `<!-- figures of ${name} -->`;
  const from = text.indexOf(start);
  const to = text.indexOf('<!-- end -->', from);
  if (from === -1 || to === -1) throw new Error(`docs/benchmarks.md has no "${start}" with an "<!-- end -->" after it`);
  const changed = `${text.slice(0, from + start.length)}\n\n${markdown}\n\n${text.slice(to)}`;
  const options = await resolveConfig(DOCUMENT);
  await writeFile(DOCUMENT, await format(changed, { ...options, parser: 'markdown' }));
}
