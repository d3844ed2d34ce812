import { parse } from 'smol-toml';

/**
 * Where the parts of a TOML document are in its text, so that one value can be changed without changing any other byte.
 * Only for documents that smol-toml has accepted.
 */
export type TomlStatement = TableHeader | KeyValue;

export interface TableHeader {
  readonly kind: 'table';
  readonly path: readonly string[];
  /** Offset after the header's line and its line end. */
  readonly end: number;
}

export interface KeyValue {
  readonly kind: 'value';
  /** From the document's root. */
  readonly path: readonly string[];
  /** As written in its table: more than one part for a dotted key. */
  readonly key: readonly string[];
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Offset after the line that the value ends on, and its line end. Inside an inline table: valueEnd. */
  readonly end: number;
  /** Spans of the elements of an array. */
  readonly elements?: readonly Span[];
  /** Key/value pairs of an inline table. */
  readonly entries?: readonly KeyValue[];
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

type Value = Pick<KeyValue, 'valueEnd' | 'elements' | 'entries'>;

const BARE_VALUE_END = /[,\]}#\r\n]/g;
const WHITE = /[ \t]*/y;
/** White space, line ends and comments. */
const BLANK = /(?:[ \t\r\n]|#[^\n]*)*/y;

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

function endOfString(text: string, start: number): number {
  const quote = text.charAt(start);
  const fence = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let at = start + fence.length;
  while (!text.startsWith(fence, at)) at += quote === '"' && text[at] === '\\' ? 2 : 1;
  at += fence.length;
  // A multi-line string may end in up to two quotes of its own before the closing three.
  if (fence.length === 3) while (text[at] === quote) at += 1;
  return at;
}

/** The next offset of `stop` at or after `at`, outside quoted parts. */
function indexOutsideStrings(text: string, at: number, stop: string): number {
  let index = at;
  while (text[index] !== stop)
    index = text[index] === '"' || text[index] === "'" ? endOfString(text, index) : index + 1;
  return index;
}

/** The parts of a dotted key, unquoted. smol-toml does the unquoting. */
function keyParts(source: string): string[] {
  const parts: string[] = [];
  let table: unknown = parse(`${source} = 0`);
  while (typeof table === 'object' && table !== null) {
    const [[part, inner]] = Object.entries(table) as [[string, unknown]];
    parts.push(part);
    table = inner;
  }
  return parts;
}

function endOfLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline === -1 ? text.length : newline + 1;
}

function scanArray(text: string, start: number): Value {
  const elements: Span[] = [];
  let at = skip(BLANK, text, start + 1);
  while (text[at] !== ']') {
    const end = scanValue(text, at, []).valueEnd;
    elements.push({ start: at, end });
    at = skip(BLANK, text, end);
    if (text[at] === ',') at = skip(BLANK, text, at + 1);
  }
  return { valueEnd: at + 1, elements };
}

function scanInlineTable(text: string, start: number, path: readonly string[]): Value {
  const entries: KeyValue[] = [];
  let at = skip(BLANK, text, start + 1);
  while (text[at] !== '}') {
    const entry = scanKeyValue(text, at, path);
    entries.push({ ...entry, end: entry.valueEnd });
    at = skip(BLANK, text, entry.valueEnd);
    if (text[at] === ',') at = skip(BLANK, text, at + 1);
  }
  return { valueEnd: at + 1, entries };
}

function scanValue(text: string, start: number, path: readonly string[]): Value {
  switch (text[start]) {
    case '"':
    case "'":
      return { valueEnd: endOfString(text, start) };
    case '[':
      return scanArray(text, start);
    case '{':
      return scanInlineTable(text, start, path);
    default: {
      BARE_VALUE_END.lastIndex = start;
      const end = BARE_VALUE_END.exec(text)?.index ?? text.length;
      return { valueEnd: start + text.slice(start, end).trimEnd().length };
    }
  }
}

function scanKeyValue(text: string, start: number, table: readonly string[]): KeyValue {
  const equals = indexOutsideStrings(text, start, '=');
  const key = keyParts(text.slice(start, equals));
  const path = [...table, ...key];
  const valueStart = skip(WHITE, text, equals + 1);
  const value = scanValue(text, valueStart, path);
  return { kind: 'value', path, key, keyStart: start, valueStart, ...value, end: endOfLine(text, value.valueEnd) };
}

/** The statements of a document, in order. */
export function tomlStatements(text: string): TomlStatement[] {
  const statements: TomlStatement[] = [];
  let table: readonly string[] = [];
  let at = skip(BLANK, text, text.startsWith('\uFEFF') ? 1 : 0);
  while (at < text.length) {
    if (text[at] === '[') {
      const nameStart = at + (text[at + 1] === '[' ? 2 : 1);
      const nameEnd = indexOutsideStrings(text, nameStart, ']');
      table = keyParts(text.slice(nameStart, nameEnd));
      statements.push({ kind: 'table', path: table, end: endOfLine(text, nameEnd) });
    } else statements.push(scanKeyValue(text, at, table));
    at = skip(BLANK, text, statements[statements.length - 1]?.end ?? text.length);
  }
  return statements;
}

/**
 * The key/value pairs of a document as a flat list: pairs inside an inline table follow the pair that contains them.
 */
export function everyPair(statements: readonly TomlStatement[]): KeyValue[] {
  const within = (pair: KeyValue): KeyValue[] => [pair, ...(pair.entries ?? []).flatMap(within)];
  return statements.flatMap((statement) => (statement.kind === 'value' ? within(statement) : []));
}

/** The key/value pairs between a header and the next one. */
export function statementsBelow(statements: readonly TomlStatement[], header: TomlStatement): KeyValue[] {
  const rest = statements.slice(statements.indexOf(header) + 1);
  const next = rest.findIndex(({ kind }) => kind === 'table');
  return rest.slice(0, next === -1 ? rest.length : next) as KeyValue[];
}

export const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((part, index) => path[index] === part);

export const isAt = (path: readonly string[], wanted: readonly string[]): boolean =>
  path.length === wanted.length && startsWith(path, wanted);
