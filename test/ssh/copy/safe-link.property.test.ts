import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import fc from 'fast-check';
import { linkProblem } from '../../../lib/ssh/copy/safe-link';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const target = fc
  .array(fc.constantFrom('a', 'b', 'c', '..', '..', '.'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('/'));

test('accepted links never lead out of the folder, in any combination', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(path, target), { maxLength: 8 }), (links) => {
      const outer = mkdtempSync(join(tmpdir(), 'mngr-links-'));
      const root = join(outer, 'a/b/root');
      mkdirSync(root, { recursive: true });
      try {
        const made = links.flatMap(([link, to]) =>
          linkProblem(link, to) === undefined && make(root, link, to) ? [link] : [],
        );
        for (const link of made) {
          const end = resolved(join(root, link));
          if (end !== undefined) expect(`${end}${sep}`.startsWith(`${realpathSync(root)}${sep}`)).toBe(true);
        }
      } finally {
        rmSync(outer, { recursive: true });
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['link', '/etc/passwd'],
  ['link', '..'],
  ['sub/link', '../..'],
  ['sub/link', 'x/../../../y'],
  ['link', 'sub/..'],
  ['link', ''],
])('%s -> %s is refused', (link, to) => {
  expect(linkProblem(link, to)).toBeDefined();
});

test.each([
  ['link', 'file'],
  ['link', './sub/file'],
  ['sub/link', '..'],
  ['sub/deep/link', '../../file'],
])('%s -> %s is let through', (link, to) => {
  expect(linkProblem(link, to)).toBeUndefined();
});

/** As a download does: folders are real folders, so a path of which a part is a link can't be made. */
function make(root: string, link: string, to: string): boolean {
  try {
    const parent = join(root, dirname(link));
    mkdirSync(parent, { recursive: true });
    if (realpathSync(parent) !== join(realpathSync(root), dirname(link))) return false;
    symlinkSync(to, join(root, link));
    return true;
  } catch {
    return false;
  }
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
