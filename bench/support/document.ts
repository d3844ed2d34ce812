import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { withFigures } from './figures';
import { ROOT } from './paths';

const DOCUMENT = join(ROOT, 'docs', 'benchmarks.md');

/** Puts a bench's figures into docs/benchmarks.md and leaves all others. Throws when the document has no place for them. */
export async function writeFigures(name: string, markdown: string): Promise<void> {
  const changed = withFigures(await readFile(DOCUMENT, 'utf8'), name, markdown);
  const options = await resolveConfig(DOCUMENT);
  await writeFile(DOCUMENT, await format(changed, { ...options, parser: 'markdown' }));
}
