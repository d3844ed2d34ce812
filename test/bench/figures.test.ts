import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withFigures } from '../../bench/support/figures';
import { ROOT } from '../support/run/paths';

const DOCUMENT = readFileSync(join(ROOT, 'docs', 'benchmarks.md'), 'utf8');
const NAMES = [...DOCUMENT.matchAll(/<!-- figures of (\S+) -->/g)].map(([, name]) => name as string);

/** The figures of each bench in the text. */
const figures = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<!-- figures of (\S+) -->(.*?)<!-- end -->/gs)].map(([, name, inside]) => [
      name,
      inside?.trim(),
    ]),
  );

describe('the figures in docs/benchmarks.md', () => {
  test.each(NAMES)('those of %s are written without a change to any other', (name) => {
    const changed = withFigures(DOCUMENT, name, 'new figures');
    expect(figures(changed)).toEqual({ ...figures(DOCUMENT), [name]: 'new figures' });
    expect(withFigures(changed, name, figures(DOCUMENT)[name] ?? '')).toBe(DOCUMENT);
  });

  test('a bench without a place in the document is refused', () => {
    expect(() => withFigures(DOCUMENT, 'nothing', '')).toThrow('no "<!-- figures of nothing -->"');
  });
});
