/** The text with other figures between `<!-- figures of NAME -->` and the next `<!-- end -->`. */
export function withFigures(text: string, name: string, markdown: string): string {
  const start = `<!-- figures of ${name} -->`;
  const from = text.indexOf(start);
  const to = text.indexOf('<!-- end -->', from);
  if (from === -1 || to === -1) throw new Error(`docs/benchmarks.md has no "${start}" with an "<!-- end -->" after it`);
  return `${text.slice(0, from + start.length)}\n\n${markdown}\n\n${text.slice(to)}`;
}
