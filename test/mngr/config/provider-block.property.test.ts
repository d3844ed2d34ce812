import fc from 'fast-check';
import { parse } from 'smol-toml';
import { providerTable, withProfileLine } from '../../../lib/mngr/config/provider-block';
import { TomlFile } from '../../../lib/mngr/toml/toml-file';
import type { TableValues } from '../../../lib/mngr/toml/values';

/** Generated config files: what a person writes around the block, and the block in the ways that TOML has. */
const eol = fc.constantFrom('\n', '\r\n');
const comment = fc.stringMatching(/^[ -~äöü]{0,20}$/).map((text) => `# ${text}`);
const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,7}$/);
const text = fc.stringMatching(/^[ !#-&(-[\]-~é"]{0,12}$/);
const quoted = text.map((content) => JSON.stringify(content));
const scalar = fc.oneof(
  fc.integer().map(String),
  fc.boolean().map(String),
  quoted,
  text.map((content) => `'${content}'`),
  fc.constantFrom('1979-05-27T07:32:00Z', '1e3', '0xff', '"""a\n[providers.fargate]\nb"""', "'''\n# no comment'''"),
);
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  fc.array(scalar, { maxLength: 3 }).map((items) => `[\n  # in the list ]\n  ${items.join(',\n  ')}\n]`),
  fc.dictionary(word, scalar, { maxKeys: 3 }).map(
    (pairs) =>
      `{ ${Object.entries(pairs)
        .map(([k, v]) => `${k} = ${v.includes('\n') ? '0' : v}`)
        .join(', ')} }`,
  ),
);
const trailing = fc.oneof(
  fc.constant(''),
  comment.map((note) => ` ${note}`),
);
const noise = fc.oneof(fc.constant(''), comment, fc.constant('  '));

/** Lines of a table: pairs with distinct keys, blank lines and comments between them. */
const body = fc
  .uniqueArray(fc.tuple(word, value, trailing, noise), { selector: ([key]) => key, maxLength: 4 })
  .map((pairs) => pairs.flatMap(([key, content, note, between]) => [between, `${key} = ${content}${note}`]));

const otherTable = fc.tuple(word, body).map(([name, lines]) => ({ name: `other-${name}`, lines }));
const otherTables = fc.uniqueArray(otherTable, { selector: ({ name }) => name, maxLength: 3 });
const asLines = (tables: readonly { name: string; lines: readonly string[] }[]): string[] =>
  tables.flatMap(({ name, lines }) => [`[${name}]`, ...lines]);

const setting = fc.oneof(
  fc.record({
    key: fc.constantFrom('ecs_cluster', 'aws_region', 'container_name'),
    content: text as fc.Arbitrary<string | number | boolean | string[]>,
  }),
  fc.record({
    key: fc.constantFrom('cpu', 'memory'),
    content: fc.nat() as fc.Arbitrary<string | number | boolean | string[]>,
  }),
  fc.record({
    key: fc.constantFrom('assign_public_ip'),
    content: fc.boolean() as fc.Arbitrary<string | number | boolean | string[]>,
  }),
  fc.record({
    key: fc.constantFrom('subnets', 'security_groups'),
    content: fc.array(text, { maxLength: 3 }) as fc.Arbitrary<string | number | boolean | string[]>,
  }),
);
const settings = fc
  .uniqueArray(setting, { selector: ({ key }) => key, minLength: 1, maxLength: 6 })
  .map((list): TableValues => Object.fromEntries(list.map(({ key, content }) => [key, content])));

const literal = (content: TableValues[string]): string => JSON.stringify(content);
const multiline = (content: TableValues[string]): string =>
  Array.isArray(content) && content.length > 0
    ? `[ # list\n    ${content.map((item) => JSON.stringify(item)).join(', # item\n    ')} # end\n]`
    : literal(content);

/** Lines that say the same block in different ways. */
const presentBlock = fc
  .tuple(settings, fc.constantFrom('table', 'dotted', 'inline', 'multiline'), comment)
  .map(([present, style, note]) => {
    const pairs = Object.entries(present);
    switch (style) {
      case 'table':
        return [
          '[providers.fargate] ' + note,
          ...pairs.map(([key, content]) => `  ${key} = ${literal(content)} ${note}`),
        ];
      case 'multiline':
        return ['[ providers . "fargate" ]', note, ...pairs.map(([key, content]) => `${key}=${multiline(content)}`)];
      case 'dotted':
        return ['[providers]', ...pairs.map(([key, content]) => `fargate.${key} = ${literal(content)} ${note}`)];
      case 'inline':
        return [
          '[providers]',
          `fargate = { ${pairs.map(([key, content]) => `${key} = ${literal(content)}`).join(', ')} } ${note}`,
        ];
    }
  });

const write = (source: string, values: TableValues): string =>
  withProfileLine(TomlFile.parse(source, 'config.toml'), 'p').withValues(providerTable('fargate'), values).text;
const join = (lines: readonly string[], lineEnd: string): string =>
  lines.map((line) => line.replaceAll('\n', lineEnd) + lineEnd).join('');
const blockOf = (source: string): unknown => (parse(source).providers as Record<string, unknown>).fargate;

const file = fc
  .record({ top: body, before: otherTables, block: presentBlock, after: otherTables, lineEnd: eol })
  .filter(({ before, after }) => !before.some(({ name }) => after.some((other) => other.name === name)));
const isToml = (source: string): boolean => {
  try {
    parse(source);
    return true;
  } catch {
    return false;
  }
};

test('everything outside a block stays byte for byte the same, and the block has the requested values', () => {
  fc.assert(
    fc.property(file, settings, ({ top, before, block, after, lineEnd }, values) => {
      const head = join(['profile = "p"', ...top, ...asLines(before)], lineEnd);
      const tail = join(asLines(after), lineEnd);
      const source = head + join(block, lineEnd) + tail;
      fc.pre(isToml(source));
      const written = write(source, values);
      expect(written.startsWith(head)).toBe(true);
      expect(written.endsWith(tail)).toBe(true);
      expect(blockOf(written)).toEqual(expect.objectContaining(values));
      expect(blockOf(written)).toEqual({ ...(blockOf(source) as object), ...values });
    }),
    { numRuns: 500 },
  );
});

test('a file without the block is the beginning of what is written', () => {
  fc.assert(
    fc.property(file, settings, fc.boolean(), ({ top, before, lineEnd }, values, endsInLine) => {
      const whole = join(['profile = "p"', ...top, ...asLines(before)], lineEnd);
      const source = endsInLine ? whole : whole.slice(0, -lineEnd.length);
      fc.pre(isToml(source));
      const written = write(source, values);
      expect(written.startsWith(source)).toBe(true);
      expect(blockOf(written)).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test('a file without a profile is the end of what is written when its block is right already', () => {
  fc.assert(
    fc.property(file, ({ top, before, block, after, lineEnd }) => {
      const source = join([...top, ...asLines(before), ...block, ...asLines(after)], lineEnd);
      fc.pre(isToml(source));
      const present = blockOf(source) as TableValues;
      expect(write(source, present)).toBe(`profile = "p"${lineEnd}${source}`);
    }),
    { numRuns: 300 },
  );
});

test('writing twice is writing once', () => {
  fc.assert(
    fc.property(file, settings, ({ top, before, block, after, lineEnd }, values) => {
      const source = join([...top, ...asLines(before), ...block, ...asLines(after)], lineEnd);
      fc.pre(isToml(source));
      const written = write(source, values);
      expect(write(written, values)).toBe(written);
    }),
    { numRuns: 300 },
  );
});
