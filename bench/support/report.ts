import type { BenchResult, Row } from './bench';

const HEADINGS = ['figure', 'measured', 'compared with', 'ratio', 'aim'];

const ratioOf = ({ ratio }: Row): string => (ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2));

const aimOf = ({ aim, met }: Row): string => (aim === undefined ? '' : `${aim}: ${met === true ? 'met' : 'missed'}`);

const cellsOf = (row: Row): string[] => [
  row.what,
  row.measured,
  `${row.comparison}: ${row.against}`,
  ratioOf(row),
  aimOf(row),
];

/** A bench's figures for a terminal. */
export function textOf({ rows, notes = [] }: BenchResult): string {
  const lines = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const table = lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...table, ...notes.map((note) => `- ${note}`)].map((line) => `  ${line}`).join('\n');
}

/** A bench's figures as Markdown. */
export function markdownOf({ rows, notes = [] }: BenchResult, conditions: string): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const table = [HEADINGS, HEADINGS.map(() => '---'), ...rows.map(cellsOf)].map(line);
  const list = notes.map((note) => `- ${note}`);
  return [conditions, '', ...table, ...(list.length > 0 ? ['', ...list] : [])].join('\n');
}
