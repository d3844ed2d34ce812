import type { KeyValue, TableHeader, TomlStatement } from './scanner';
import { isAt, statementsBelow, tomlStatements } from './scanner';
import type { TextEdit } from './text-edits';
import { lineStart } from './text-edits';
import type { TablePath } from './values';

/** Edits that remove keys from a table, and its header if nothing is left below it. */
export function editsThatRemove(text: string, table: TablePath, keys: readonly string[]): TextEdit[] {
  const statements = tomlStatements(text);
  const isGoing = (pair: KeyValue): boolean => keys.some((key) => isAt(pair.path, [...table, key]));
  return statements.flatMap((statement) => {
    if (statement.kind === 'value' && isGoing(statement)) return [lineOf(text, statement)];
    if (!isAt(statement.path, table)) return [];
    if (statement.kind === 'value') return fromInlineTable(text, statement, isGoing);
    return bareHeader(text, statements, statement, isGoing);
  });
}

const lineOf = (text: string, { keyStart, end }: KeyValue): TextEdit => ({
  start: lineStart(text, keyStart),
  end,
  text: '',
});

/** The header's own line and the blank line before it, if everything below it is removed and has no comment. */
function bareHeader(
  text: string,
  statements: readonly TomlStatement[],
  header: TableHeader,
  isGoing: (pair: KeyValue) => boolean,
): TextEdit[] {
  const own = statementsBelow(statements, header);
  const isCommented = own.some((pair, index) =>
    text.slice(own[index - 1]?.end ?? header.end, pair.keyStart).includes('#'),
  );
  if (isCommented || !own.every(isGoing)) return [];
  const start = lineStart(text, header.end - 1);
  const blank = /(?:^|\n)(\r?\n)$/.exec(text.slice(0, start))?.[1]?.length ?? 0;
  return [{ start: start - blank, end: header.end, text: '' }];
}

function fromInlineTable(text: string, pair: KeyValue, isGoing: (pair: KeyValue) => boolean): TextEdit[] {
  const { entries = [], valueStart, valueEnd } = pair;
  const kept = entries.filter((entry) => !isGoing(entry));
  if (kept.length === entries.length) return [];
  if (kept.length === 0) return [lineOf(text, pair)];
  const sources = kept.map((entry) => text.slice(entry.keyStart, entry.valueEnd));
  return [{ start: valueStart, end: valueEnd, text: `{ ${sources.join(', ')} }` }];
}
