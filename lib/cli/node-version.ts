/** Says that Node.js 20 gets no more fixes; undefined for newer versions. Source: the release schedule of nodejs.org. */
export function nodeVersionNote(version: string): string | undefined {
  if (Number.parseInt(version, 10) > 20) return undefined;
  return `Node.js ${version} has reached its end of life and gets no more security fixes; Node.js 24 is recommended`;
}
