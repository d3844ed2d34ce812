import { isDeepStrictEqual } from 'node:util';
import { MngrFargateError } from '../../contract/errors';
import type { KeyValue, Span, TomlStatement } from './scanner';
import { everyPair, isAt, startsWith, statementsBelow, tomlStatements } from './scanner';
import type { TextEdit } from './text-edits';
import { beginsLine, indentOf, lineEndOf, lineStart } from './text-edits';
import type { TablePath, TableValues } from './values';
import { renderTable, tomlKey, tomlPairs, tomlValue } from './values';
import type { TomlTable } from './toml-table';

/**
 * Edits that set keys of a table to these values. Values that are already right stay as they are written. `present` is
 * the table as it is parsed. Throws `usage` for a key that is a table.
 */
export function editsThatSet(text: string, table: TablePath, present: TomlTable, values: TableValues): TextEdit[] {
  const statements = tomlStatements(text);
  const added = Object.fromEntries(Object.entries(values).filter(([key]) => present[key] === undefined));
  const edits = changes(text, everyPair(statements), table, { present, values });
  return Object.keys(added).length === 0 ? edits : [...edits, addition(text, statements, table, added)];
}

function changes(
  text: string,
  pairs: readonly KeyValue[],
  table: TablePath,
  { present, values }: { readonly present: TomlTable; readonly values: TableValues },
): TextEdit[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const found = present[key];
    if (found === undefined || isDeepStrictEqual(found, value)) return [];
    const pair = pairs.find(({ path }) => isAt(path, [...table, key]));
    if (pair === undefined) {
      throw new MngrFargateError('usage', `"${[...table, key].join('.')}" is a table, but it must be a value`, {
        hint: 'remove that table and try again',
      });
    }
    const { valueStart: start, valueEnd: end } = pair;
    if (typeof value === 'object' && Array.isArray(found) && text.slice(start, end).includes('\n')) {
      return [...elementChanges(text, pair, found, value), ...elementAdditions(text, pair, value)];
    }
    return [{ start, end, text: tomlValue(value) }];
  });
}

/** Elements of an array that spans several lines are changed in place, so that the comments around them stay. */
function elementChanges(
  text: string,
  { elements = [] }: KeyValue,
  present: readonly unknown[],
  wanted: readonly string[],
): TextEdit[] {
  return elements.flatMap((element, index) => {
    const value = wanted[index];
    if (value === undefined) return [elementRemoval(text, element)];
    return present[index] === value ? [] : [{ ...element, text: tomlValue(value) }];
  });
}

/** Removes an element with the comma after it, and its line if nothing else is on it. */
function elementRemoval(text: string, { start, end }: Span): TextEdit {
  const comma = /^[ \t]*,/.exec(text.slice(end))?.[0].length ?? 0;
  const rest = /^[ \t]*\r?\n/.exec(text.slice(end + comma))?.[0].length;
  if (rest === undefined || !beginsLine(text, start)) return { start, end: end + comma, text: '' };
  return { start: lineStart(text, start), end: end + comma + rest, text: '' };
}

const DEFAULT_INDENT = '  ';
const COMMENTS_AND_COMMA = /^(?:[ \t\r\n]|#[^\n]*)*,/;

/** Elements after the last one, on lines of their own if the closing bracket is on its own line. */
function elementAdditions(text: string, array: KeyValue, wanted: readonly string[]): TextEdit[] {
  const { elements = [], keyStart, valueStart, valueEnd } = array;
  const added = wanted.slice(elements.length).map(tomlValue);
  if (added.length === 0) return [];
  const last = elements.at(-1);
  const bracket = valueEnd - 1;
  const afterLast = last?.end ?? valueStart + 1;
  const edits: TextEdit[] = [];
  if (last !== undefined && !COMMENTS_AND_COMMA.test(text.slice(afterLast)))
    edits.push({ start: afterLast, end: afterLast, text: ',' });
  if (beginsLine(text, bracket)) {
    const at = lineStart(text, bracket);
    const indent = last === undefined ? indentOf(text, keyStart) + DEFAULT_INDENT : indentOf(text, last.start);
    const lines = added.map((value) => `${indent}${value},${lineEndOf(text)}`);
    edits.push({ start: at, end: at, text: lines.join('') });
  } else edits.push({ start: bracket, end: bracket, text: ` ${added.join(', ')}` });
  return edits;
}

/** Adds keys that the table lacks, in the table's own form: header, inline table, dotted keys, or none yet. */
function addition(text: string, statements: readonly TomlStatement[], table: TablePath, added: TableValues): TextEdit {
  const pairs = everyPair(statements);
  const lines = tomlPairs(added);

  const header = statements.find((statement) => statement.kind === 'table' && isAt(statement.path, table));
  if (header !== undefined) {
    const last = statementsBelow(statements, header).at(-1);
    if (last === undefined) return linesAfter(text, header.end, '', lines);
    return linesAfter(text, last.end, indentBefore(text, last.keyStart), lines);
  }

  const inline = pairs.find((pair) => isAt(pair.path, table) && pair.entries !== undefined);
  if (inline !== undefined) return pairsInInlineTable(inline, lines);

  const topLevel = statements.filter((statement) => statement.kind === 'value');
  const dotted = topLevel.filter((pair) => definesByDots(pair, table)).at(-1);
  if (dotted !== undefined) {
    const prefix = dotted.key.slice(0, table.length - (dotted.path.length - dotted.key.length)).map(tomlKey);
    const dottedLines = lines.map((line) => `${prefix.join('.')}.${line}`);
    return linesAfter(text, dotted.end, indentBefore(text, dotted.keyStart), dottedLines);
  }

  const outer = table.slice(0, -1);
  const inlineOuter = pairs.find((pair) => outer.length > 0 && isAt(pair.path, outer) && pair.entries !== undefined);
  if (inlineOuter !== undefined) {
    const name = tomlKey(table.at(-1) ?? '');
    const isDotted = inlineOuter.entries?.some((pair) => definesByDots(pair, table)) === true;
    const nested = isDotted ? lines.map((line) => `${name}.${line}`) : [`${name} = { ${lines.join(', ')} }`];
    return pairsInInlineTable(inlineOuter, nested);
  }

  const eol = lineEndOf(text);
  const separator = text === '' ? '' : text.endsWith('\n') ? eol : eol + eol;
  return { start: text.length, end: text.length, text: separator + renderTable(table, added, eol) };
}

/** New lines at the offset `after`, indented like the text they follow. */
function linesAfter(text: string, after: number, indent: string, lines: readonly string[]): TextEdit {
  const eol = lineEndOf(text);
  const lead = after > 0 && text[after - 1] !== '\n' ? eol : '';
  return { start: after, end: after, text: lead + lines.map((line) => indent + line + eol).join('') };
}

const indentBefore = (text: string, at: number): string => (beginsLine(text, at) ? indentOf(text, at) : '');

/** New pairs in an inline table: after its last one, or after the brace. */
function pairsInInlineTable({ entries = [], valueStart }: KeyValue, pairs: readonly string[]): TextEdit {
  const last = entries.at(-1);
  const at = last?.valueEnd ?? valueStart + 1;
  return { start: at, end: at, text: last === undefined ? ` ${pairs.join(', ')} ` : `, ${pairs.join(', ')}` };
}

/** True for `providers.fargate.cpu = …` and the like: the dots of a key make the table, and no header may follow. */
function definesByDots(pair: KeyValue, table: TablePath): boolean {
  const outer = pair.path.length - pair.key.length;
  return outer < table.length && pair.path.length > table.length && startsWith(pair.path, table);
}
