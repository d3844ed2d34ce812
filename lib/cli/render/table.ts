import { printable } from '../../util/printable';
import type { Colour } from './colour';
import { coloured } from './colour';

const GAP = '  ';

/** Text, with the colour that it has on a terminal. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

/** Columns as wide as their widest cell, without trailing blanks. A cell is one line, whatever is in it. */
export function renderTable(rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map((cell) => printable(typeof cell === 'string' ? cell : cell.text)));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...texts.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row, line) =>
      row
        .map((cell, column) => {
          const text = texts[line]?.[column] ?? '';
          const blanks = ' '.repeat((widths[column] ?? 0) - text.length);
          return (typeof cell === 'string' ? text : coloured(cell.colour, text)) + blanks;
        })
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
