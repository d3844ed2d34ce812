import { isDeepStrictEqual } from 'node:util';
import type { TomlTable } from 'smol-toml';
import { MngrFargateError } from '../../contract/errors';
import { parseToml } from './toml-file';
import type { TextEdit } from './text-edits';
import { applyEdits } from './text-edits';
import { multilineArrayEdits } from './array-edit';
import type { KeyValue, TableHeader, TomlStatement } from './statements';
import { tomlStatements } from './statements';
import type { SettingValue } from './value';
import { tomlKey, tomlValue } from './value';

/** The names from the document's root to a table. */
export type TablePath = readonly string[];

/** The values to have in a table, in the order that new ones are written. */
export type TableValues = Readonly<Record<string, SettingValue>>;

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The line end that the file uses. */
export const lineEndOf = (text: string): string => (/\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n');

/** A table of a parsed file; undefined when there is none. Throws `usage` where something else stands there. */
export function tableAt(document: TomlTable, table: TablePath, path: string): TomlTable | undefined {
  let found: TomlTable = document;
  for (const [index, name] of table.entries()) {
    const next = Object.hasOwn(found, name) ? found[name] : undefined;
    if (next === undefined) return undefined;
    if (!isTable(next)) {
      const where = table.slice(0, index + 1).join('.');
      throw new MngrFargateError('usage', `${path}: "${where}" must be a table`);
    }
    found = next;
  }
  return found;
}

/** A whole table as text. */
export function renderTable(table: TablePath, values: TableValues, eol = '\n'): string {
  const lines = Object.entries(values).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);
  return [`[${table.map(tomlKey).join('.')}]`, ...lines, ''].join(eol);
}

/** Statements of the document and, flat, the pairs inside its inline tables. */
function everyPair(statements: readonly TomlStatement[]): KeyValue[] {
  const within = (pair: KeyValue): KeyValue[] => [pair, ...(pair.entries ?? []).flatMap(within)];
  return statements.flatMap((statement) => (statement.kind === 'value' ? within(statement) : []));
}

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((part, index) => path[index] === part);

export const isAt = (path: readonly string[], wanted: readonly string[]): boolean =>
  path.length === wanted.length && startsWith(path, wanted);

/** New lines behind `after`, indented like the text they follow. */
function linesAfter(text: string, after: number, indent: string, lines: readonly string[], eol: string): TextEdit {
  const lead = after > 0 && text[after - 1] !== '\n' ? eol : '';
  return { start: after, end: after, text: lead + lines.map((line) => indent + line + eol).join('') };
}

const indentBefore = (text: string, at: number): string => {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return line.trim() === '' ? line : '';
};

/** New pairs in an inline table: behind its last one, or behind the brace. */
function pairsInInlineTable(table: KeyValue, pairs: readonly string[]): TextEdit {
  const last = table.entries?.[table.entries.length - 1];
  const at = last?.valueEnd ?? table.valueStart + 1;
  const text = last === undefined ? ` ${pairs.join(', ')} ` : `, ${pairs.join(', ')}`;
  return { start: at, end: at, text };
}

/** Where and how keys that the table lacks are added. */
function additions(text: string, statements: readonly TomlStatement[], table: TablePath, added: TableValues): TextEdit {
  const eol = lineEndOf(text);
  const pairs = everyPair(statements);
  const lines = Object.entries(added).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);

  const header = statements.findIndex((statement) => statement.kind === 'table' && isAt(statement.path, table));
  if (header !== -1) {
    const rest = statements.slice(header + 1);
    const next = rest.findIndex((statement) => statement.kind === 'table');
    const own = rest.slice(0, next === -1 ? rest.length : next) as KeyValue[];
    const last = own[own.length - 1];
    if (last !== undefined) return linesAfter(text, last.end, indentBefore(text, last.keyStart), lines, eol);
    return linesAfter(text, (statements[header] as TableHeader).end, '', lines, eol);
  }

  const inline = pairs.find((pair) => isAt(pair.path, table) && pair.entries !== undefined);
  if (inline !== undefined) return pairsInInlineTable(inline, lines);

  const topLevel = statements.filter((statement) => statement.kind === 'value');
  const dotted = topLevel.filter((pair) => definesByDots(pair, table)).pop();
  if (dotted !== undefined) {
    const prefix = dotted.key.slice(0, table.length - (dotted.path.length - dotted.key.length)).map(tomlKey);
    const dottedLines = lines.map((line) => `${prefix.join('.')}.${line}`);
    return linesAfter(text, dotted.end, indentBefore(text, dotted.keyStart), dottedLines, eol);
  }

  const outer = table.slice(0, -1);
  const inlineOuter = pairs.find((pair) => outer.length > 0 && isAt(pair.path, outer) && pair.entries !== undefined);
  if (inlineOuter !== undefined) {
    const name = tomlKey(table[table.length - 1] ?? '');
    const nested = (inlineOuter.entries ?? []).filter((pair) => definesByDots(pair, table)).pop();
    const wanted =
      nested === undefined ? [`${name} = { ${lines.join(', ')} }`] : lines.map((line) => `${name}.${line}`);
    return pairsInInlineTable(inlineOuter, wanted);
  }

  const separator = text === '' ? '' : text.endsWith('\n') ? eol : eol + eol;
  return { start: text.length, end: text.length, text: separator + renderTable(table, added, eol) };
}

/** True for `providers.fargate.cpu = …` and the like: the table is made by the dots of a key, and no header may follow. */
function definesByDots(pair: KeyValue, table: TablePath): boolean {
  const outer = pair.path.length - pair.key.length;
  return outer < table.length && pair.path.length > table.length && startsWith(pair.path, table);
}

/** Edits that give keys the table already has their new values; keys whose value is right are left as they are written. */
function changes(
  text: string,
  statements: readonly TomlStatement[],
  table: TablePath,
  present: TomlTable,
  values: TableValues,
): TextEdit[] {
  const pairs = everyPair(statements);
  return Object.entries(values).flatMap(([key, value]) => {
    const found = present[key];
    if (found === undefined || isDeepStrictEqual(found, value)) return [];
    const pair = pairs.find(({ path }) => isAt(path, [...table, key]));
    if (pair === undefined) {
      throw new MngrFargateError('usage', `"${[...table, key].join('.')}" is a table where a value belongs`, {
        hint: 'remove that table and try again',
      });
    }
    const source = text.slice(pair.valueStart, pair.valueEnd);
    if (typeof value === 'object' && Array.isArray(found) && source.includes('\n')) {
      return multilineArrayEdits(text, pair, found, value, lineEndOf(text));
    }
    return [{ start: pair.valueStart, end: pair.valueEnd, text: tomlValue(value) }];
  });
}

/**
 * The text of a document with these values in one of its tables. All else stays byte for byte: comments, order, line ends,
 * other keys of the table. Values that are right already stay as they are written. The result is parsed and compared with
 * the original before it is returned.
 */
export function withTableValues(text: string, table: TablePath, values: TableValues, path: string): string {
  const before = parseToml(text, path);
  const present = tableAt(before, table, path) ?? {};
  const statements = tomlStatements(text);
  const added = Object.fromEntries(Object.entries(values).filter(([key]) => present[key] === undefined));
  const edits = changes(text, statements, table, present, values);
  if (Object.keys(added).length > 0) edits.push(additions(text, statements, table, added));
  const result = applyEdits(text, edits);
  const after = parseToml(result, path);
  const made = tableAt(after, table, path) ?? {};
  const isWanted = Object.entries(values).every(([key, value]) => isDeepStrictEqual(made[key], value));
  const keys = Object.keys(values);
  if (isWanted && isDeepStrictEqual(documentWithoutKeys(before, table, keys), documentWithoutKeys(after, table, keys)))
    return result;
  throw new MngrFargateError(
    'failed',
    `${path} cannot be edited without changing other settings; it was left as it is`,
    {
      hint: `add these lines by hand: ${renderTable(table, values)}`,
    },
  );
}

/** The document without some keys of a table, which it has even where it was empty. */
export function documentWithoutKeys(
  document: TomlTable,
  [name, ...inner]: TablePath,
  keys: readonly string[],
): TomlTable {
  if (name === undefined) return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
  const table = document[name];
  return { ...document, [name]: documentWithoutKeys(isTable(table) ? table : {}, inner, keys) };
}
