import type { TextEdit } from './text-edits';
import type { KeyValue, Span } from './statements';
import { tomlValue } from './value';

const DEFAULT_INDENT = '  ';

const indentOf = (text: string, at: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? '';

/** An element that is dropped goes with the comma behind it, and with its line where nothing else stands there. */
function removal(text: string, element: Span): TextEdit {
  const comma = /^[ \t]*,/.exec(text.slice(element.end))?.[0].length ?? 0;
  const start = text.lastIndexOf('\n', element.start - 1) + 1;
  const rest = /^[ \t]*\r?\n/.exec(text.slice(element.end + comma))?.[0].length;
  if (rest !== undefined && text.slice(start, element.start).trim() === '') {
    return { start, end: element.end + comma + rest, text: '' };
  }
  return { start: element.start, end: element.end + comma, text: '' };
}

/**
 * Edits that make a list of strings out of an array that spans lines. Elements are changed where they stand, so that
 * the comments around them stay; an array on one line has no comments and is written anew by the caller.
 */
export function multilineArrayEdits(
  text: string,
  statement: KeyValue,
  present: readonly unknown[],
  wanted: readonly string[],
  eol: string,
): TextEdit[] {
  const elements = statement.elements ?? [];
  const edits: TextEdit[] = [];
  elements.forEach((element, index) => {
    const value = wanted[index];
    if (value === undefined) edits.push(removal(text, element));
    else if (present[index] !== value) edits.push({ ...element, text: tomlValue(value) });
  });
  const added = wanted.slice(elements.length).map(tomlValue);
  if (added.length === 0) return edits;

  const last = elements[elements.length - 1];
  const bracket = statement.valueEnd - 1;
  const lineStart = text.lastIndexOf('\n', bracket) + 1;
  const afterLast = last?.end ?? statement.valueStart + 1;
  const comments = /^(?:[ \t\r\n]|#[^\n]*)*,/;
  if (last !== undefined && !comments.test(text.slice(afterLast)))
    edits.push({ start: afterLast, end: afterLast, text: ',' });
  if (text.slice(lineStart, bracket).trim() === '') {
    const indent =
      last === undefined ? indentOf(text, statement.keyStart) + DEFAULT_INDENT : indentOf(text, last.start);
    edits.push({ start: lineStart, end: lineStart, text: added.map((value) => `${indent}${value},${eol}`).join('') });
  } else edits.push({ start: bracket, end: bracket, text: ` ${added.join(', ')}` });
  return edits;
}
