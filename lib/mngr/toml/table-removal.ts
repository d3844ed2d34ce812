import { isDeepStrictEqual } from 'node:util';
import { MngrFargateError } from '../../contract/errors';
import { parseToml } from './toml-file';
import type { TextEdit } from './text-edits';
import { applyEdits } from './text-edits';
import type { TablePath } from './table-edit';
import { documentWithoutKeys, isAt, tableAt } from './table-edit';
import type { KeyValue, TomlStatement } from './statements';
import { tomlStatements } from './statements';

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/**
 * The text of a document without some keys of one of its tables; a header that then has nothing below it goes too. All
 * else stays byte for byte. The result is parsed and compared with the original before it is returned.
 */
export function withoutTableKeys(text: string, table: TablePath, keys: readonly string[], path: string): string {
  const before = parseToml(text, path);
  const present = tableAt(before, table, path);
  if (present === undefined || !keys.some((key) => Object.hasOwn(present, key))) return text;
  const statements = tomlStatements(text);
  const isGoing = (pair: KeyValue): boolean => keys.some((key) => isAt(pair.path, [...table, key]));
  const edits = statements.flatMap((statement, index) => {
    if (statement.kind === 'table') {
      return isAt(statement.path, table) ? bareHeader(text, statements, index, isGoing) : [];
    }
    if (isGoing(statement)) return [{ start: lineStart(text, statement.keyStart), end: statement.end, text: '' }];
    return isAt(statement.path, table) ? fromInlineTable(text, statement, isGoing) : [];
  });
  const result = applyEdits(text, edits);
  const after = parseToml(result, path);
  const left = Object.keys(tableAt(after, table, path) ?? {});
  const [one, other] = [before, after].map((document) => documentWithoutKeys(document, table, keys));
  if (isDeepStrictEqual(one, other) && !left.some((key) => keys.includes(key))) return result;
  throw new MngrFargateError(
    'failed',
    `${path} cannot be edited without changing other settings; it was left as it is`,
    {
      hint: `remove ${keys.join(', ')} of [${table.join('.')}] by hand`,
    },
  );
}

/** The header's own line, and the blank line before it, where all that stands below it goes and nothing is said of it. */
function bareHeader(
  text: string,
  statements: readonly TomlStatement[],
  index: number,
  isGoing: (pair: KeyValue) => boolean,
): TextEdit[] {
  const header = statements[index] as TomlStatement;
  const rest = statements.slice(index + 1);
  const next = rest.findIndex(({ kind }) => kind === 'table');
  const own = rest.slice(0, next === -1 ? rest.length : next) as KeyValue[];
  const isCommented = own.some((pair, place) =>
    text.slice(own[place - 1]?.end ?? header.end, pair.keyStart).includes('#'),
  );
  if (isCommented || !own.every(isGoing)) return [];
  const start = lineStart(text, header.end - 1);
  const blank = /(?:^|\n)(\r?\n)$/.exec(text.slice(0, start))?.[1]?.length ?? 0;
  return [{ start: start - blank, end: header.end, text: '' }];
}

function fromInlineTable(text: string, pair: KeyValue, isGoing: (pair: KeyValue) => boolean): TextEdit[] {
  const entries = pair.entries ?? [];
  const kept = entries.filter((entry) => !isGoing(entry));
  if (kept.length === entries.length) return [];
  if (kept.length === 0) return [{ start: lineStart(text, pair.keyStart), end: pair.end, text: '' }];
  const sources = kept.map(({ keyStart, valueEnd }) => text.slice(keyStart, valueEnd));
  return [{ start: pair.valueStart, end: pair.valueEnd, text: `{ ${sources.join(', ')} }` }];
}
