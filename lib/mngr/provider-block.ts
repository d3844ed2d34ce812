import { isDeepStrictEqual } from 'node:util';
import type { TomlTable } from 'smol-toml';
import { MngrFargateError } from '../contract/errors';
import { parseToml } from './config-file';
import type { TextEdit } from './text-edits';
import { applyEdits } from './text-edits';
import { multilineArrayEdits } from './toml-array-edit';
import type { KeyValue, TableHeader, TomlStatement } from './toml-statements';
import { tomlStatements } from './toml-statements';
import type { SettingValue } from './toml-value';
import { tomlKey, tomlValue } from './toml-value';

/** The values to have in a block, in the order that new ones are written. */
export type BlockValues = Readonly<Record<string, SettingValue>>;

const BYTE_ORDER_MARK = '\uFEFF';

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The line end that the file uses. */
const lineEndOf = (text: string): string => (/\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n');

/** The block of a provider in a parsed file; undefined when there is none. Throws `usage` where something else stands there. */
export function providerTable(document: TomlTable, provider: string, path: string): TomlTable | undefined {
  const { providers } = document;
  if (providers === undefined) return undefined;
  if (!isTable(providers)) throw new MngrFargateError('usage', `${path}: "providers" must be a table`);
  const block = providers[provider];
  if (block === undefined || isTable(block)) return block;
  throw new MngrFargateError('usage', `${path}: "providers.${provider}" must be a table`);
}

/** A whole `[providers.NAME]` block as text. */
export function renderProviderBlock(provider: string, values: BlockValues, eol = '\n'): string {
  const lines = Object.entries(values).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);
  return [`[providers.${tomlKey(provider)}]`, ...lines, ''].join(eol);
}

/** Statements of the document and, flat, the pairs inside its inline tables. */
function everyPair(statements: readonly TomlStatement[]): KeyValue[] {
  const within = (pair: KeyValue): KeyValue[] => [pair, ...(pair.entries ?? []).flatMap(within)];
  return statements.flatMap((statement) => (statement.kind === 'value' ? within(statement) : []));
}

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((part, index) => path[index] === part);

const isAt = (path: readonly string[], wanted: readonly string[]): boolean =>
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

/** Where and how keys that the block lacks are added. */
function additions(text: string, statements: readonly TomlStatement[], provider: string, added: BlockValues): TextEdit {
  const eol = lineEndOf(text);
  const block = ['providers', provider];
  const pairs = everyPair(statements);
  const lines = Object.entries(added).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);

  const header = statements.findIndex((statement) => statement.kind === 'table' && isAt(statement.path, block));
  if (header !== -1) {
    const rest = statements.slice(header + 1);
    const next = rest.findIndex((statement) => statement.kind === 'table');
    const own = rest.slice(0, next === -1 ? rest.length : next) as KeyValue[];
    const last = own[own.length - 1];
    if (last !== undefined) return linesAfter(text, last.end, indentBefore(text, last.keyStart), lines, eol);
    return linesAfter(text, (statements[header] as TableHeader).end, '', lines, eol);
  }

  const inline = pairs.find((pair) => isAt(pair.path, block) && pair.entries !== undefined);
  if (inline !== undefined) return pairsInInlineTable(inline, lines);

  const topLevel = statements.filter((statement) => statement.kind === 'value');
  const dotted = topLevel.filter((pair) => definesByDots(pair, block)).pop();
  if (dotted !== undefined) {
    const prefix = dotted.key.slice(0, block.length - (dotted.path.length - dotted.key.length)).map(tomlKey);
    const dottedLines = lines.map((line) => `${prefix.join('.')}.${line}`);
    return linesAfter(text, dotted.end, indentBefore(text, dotted.keyStart), dottedLines, eol);
  }

  const inlineProviders = pairs.find((pair) => isAt(pair.path, ['providers']) && pair.entries !== undefined);
  if (inlineProviders !== undefined) {
    const nested = (inlineProviders.entries ?? []).filter((pair) => definesByDots(pair, block)).pop();
    const wanted =
      nested === undefined
        ? [`${tomlKey(provider)} = { ${lines.join(', ')} }`]
        : lines.map((line) => `${tomlKey(provider)}.${line}`);
    return pairsInInlineTable(inlineProviders, wanted);
  }

  const separator = text.endsWith('\n') ? eol : eol + eol;
  return { start: text.length, end: text.length, text: separator + renderProviderBlock(provider, added, eol) };
}

/** True for `providers.fargate.cpu = …` and the like: the block is made by the dots of a key, and no header may follow. */
function definesByDots(pair: KeyValue, block: readonly string[]): boolean {
  const outer = pair.path.length - pair.key.length;
  return outer < block.length && pair.path.length > block.length && startsWith(pair.path, block);
}

/** Edits that give keys the block already has their new values; keys whose value is right are left as they are written. */
function changes(
  text: string,
  statements: readonly TomlStatement[],
  provider: string,
  block: TomlTable,
  values: BlockValues,
): TextEdit[] {
  const pairs = everyPair(statements);
  return Object.entries(values).flatMap(([key, value]) => {
    if (block[key] === undefined || isDeepStrictEqual(block[key], value)) return [];
    const pair = pairs.find(({ path }) => isAt(path, ['providers', provider, key]));
    if (pair === undefined) {
      throw new MngrFargateError('usage', `"providers.${provider}.${key}" is a table where a value belongs`, {
        hint: 'remove that table and try again',
      });
    }
    const source = text.slice(pair.valueStart, pair.valueEnd);
    const present = block[key];
    if (typeof value === 'object' && Array.isArray(present) && source.includes('\n')) {
      return multilineArrayEdits(text, pair, present, value, lineEndOf(text));
    }
    return [{ start: pair.valueStart, end: pair.valueEnd, text: tomlValue(value) }];
  });
}

/** The document without what an edit was allowed to touch. */
function withoutKeys(document: TomlTable, provider: string, keys: readonly string[]): TomlTable {
  const providers = isTable(document.providers) ? document.providers : {};
  const block = isTable(providers[provider]) ? providers[provider] : {};
  const keptBlock = Object.entries(block).filter(([key]) => !keys.includes(key));
  const otherProviders = Object.entries(providers).filter(([name]) => name !== provider);
  const rest = Object.entries(document).filter(([key]) => key !== 'providers' && key !== 'profile');
  return {
    ...Object.fromEntries(rest),
    providers: { ...Object.fromEntries(otherProviders), [provider]: Object.fromEntries(keptBlock) },
  };
}

/** Refuses an edit after which anything but the wanted keys means something else. */
function verify(
  before: string,
  after: string,
  provider: string,
  values: BlockValues,
  profile: string,
  path: string,
): void {
  const old = parseToml(before, path);
  const made = parseToml(after, path);
  const keys = Object.keys(values);
  const rest = [old, made].map((document) => withoutKeys(document, provider, keys));
  const block = providerTable(made, provider, path) ?? {};
  const wrong = keys.filter((key) => !isDeepStrictEqual(block[key], values[key]));
  if (wrong.length > 0 || made.profile !== profile || !isDeepStrictEqual(rest[0], rest[1])) {
    throw new MngrFargateError(
      'failed',
      `${path} cannot be edited without changing other settings; it was left as it is`,
      {
        hint: `add these lines by hand: ${renderProviderBlock(provider, values)}`,
      },
    );
  }
}

/**
 * The text of a config.toml with these values in its `[providers.NAME]` block and a top-level `profile` line.
 * All else stays byte for byte: comments, order, line ends, other keys of the block. Values that are right already stay as
 * they are written. The result is parsed and compared with the original before it is returned.
 */
export function withProviderBlock(
  text: string,
  request: { readonly provider: string; readonly values: BlockValues; readonly profile: string; readonly path: string },
): string {
  const { provider, values, profile, path } = request;
  const withProfile = withProfileLine(text, profile, path);
  const block = providerTable(parseToml(withProfile, path), provider, path) ?? {};
  const statements = tomlStatements(withProfile);
  const added = Object.fromEntries(Object.entries(values).filter(([key]) => block[key] === undefined));
  const edits = changes(withProfile, statements, provider, block, values);
  if (Object.keys(added).length > 0) edits.push(additions(withProfile, statements, provider, added));
  const result = applyEdits(withProfile, edits);
  verify(text, result, provider, values, profile, path);
  return result;
}

/** The text with `profile = "…"` as its first line, unless it has a profile. Without one, mngr overwrites the file. */
export function withProfileLine(text: string, profile: string, path: string): string {
  if (parseToml(text, path).profile !== undefined) return text;
  const start = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  return `${text.slice(0, start)}profile = ${tomlValue(profile)}${lineEndOf(text)}${text.slice(start)}`;
}
