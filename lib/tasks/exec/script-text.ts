/** A shell script as it is sent: without the indentation, which the container needn't read. */
export const scriptText = (source: string): string =>
  source
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
