import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contextUpdateRows } from '../lib/stacks/context-updates';
import { packageRoot } from '../lib/util/package-root';

/** Writes the table of docs/configuration.md that says how each context key updates. Run Prettier on the file afterwards. */
const file = join(packageRoot(), 'docs/configuration.md');
const [before, , after] = readFileSync(file, 'utf8').split(/(?<=<!-- begin: updates.*-->\n)|(?=<!-- end: updates -->)/);
if (before === undefined || after === undefined) throw new Error(`${file} has no place for the table of updates`);
writeFileSync(file, `${before}\n${contextUpdateRows().join('\n')}\n\n${after}`);
