import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { ROOT } from '../support/run/paths';

const DECISIONS = join(ROOT, 'docs/decisions');
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, folder, name));
const pages = [
  join(ROOT, 'README.md'),
  join(ROOT, 'plugin/README.md'),
  ...['docs', 'docs/decisions'].flatMap(markdownIn),
];

const textOf = (page: string): string => readFileSync(page, 'utf8');
const withoutCode = (text: string): string => text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]+`/g, '');

/** Anchors of a page's headings as GitHub makes them: lower case, without punctuation, hyphens for spaces. */
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(pages.map((page) => relative(ROOT, page)))('every link of %s leads to a page and a heading', (name) => {
  const page = join(ROOT, name);
  const links = [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
  expect(broken).toEqual([]);
});

describe('decision records', () => {
  const index = join(DECISIONS, 'README.md');
  const records = markdownIn('docs/decisions').filter((page) => page !== index);

  test.each(records.map((page) => basename(page)))('%s has its number, a status and a date', (name) => {
    const head = /^# (\d{3}): .+\n\nStatus: (.+) · \d{4}-\d{2}-\d{2}\n\n/.exec(textOf(join(DECISIONS, name)));
    expect(head?.[1]).toBe(name.slice(0, 3));
    expect(head?.[2]).toMatch(
      /^(accepted|superseded by \[decision \d{3}\]\(\S+\))(, amended by \[decision \d{3}\]\(\S+\))*$/,
    );
  });

  test('the index lists each record once, by its title', () => {
    const [, all = ''] = textOf(index).split('\n## All decisions\n');
    const listed = [...all.matchAll(/^- \[(.+)\]\((\S+)\)$/gm)].map(([, title, file]) => `${file} ${title}`);
    const expected = records.map((page) => `${basename(page)} ${/^# (.+)$/m.exec(textOf(page))?.[1]}`);
    expect(listed.sort()).toEqual(expected.sort());
  });

  test('five records are linked before all others', () => {
    const [first = ''] = textOf(index).split('\n## All decisions\n');
    expect([...first.matchAll(/^\d\. \[.+?\]\(\d{3}-\S+\.md\)/gm)]).toHaveLength(5);
  });
});

describe('docs/architecture.md', () => {
  const text = textOf(join(ROOT, 'docs/architecture.md'));
  const foldersIn = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(ROOT, folder), entry.parentPath).split(sep)[0] ?? '')
      .filter((name, index, all) => name !== '' && all.indexOf(name) === index);

  test('has a row for every folder of lib', () => {
    const rows = [...text.matchAll(/^\| `lib\/(\w+)\/` /gm)].map(([, name = '']) => name);
    expect(rows.sort()).toEqual(foldersIn('lib').sort());
  });

  test.each(['lib/constructs', 'lib/hosts', 'lib/mngr', 'lib/local', 'lib/cli', 'test/support'])(
    'names every group of %s',
    (folder) => {
      const [, row = ''] = new RegExp(`^\\| \`${folder}\` +\\| (.*)$`, 'm').exec(text) ?? [];
      const groups = [...row.matchAll(/`([\w-]+)(?:\/NAME)?`/g)].map(([, name = '']) => name);
      expect(foldersIn(folder).filter((name) => !groups.includes(name))).toEqual([]);
    },
  );
});
