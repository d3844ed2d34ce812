/** The value below which `share` (0 to 1) of the sample lies, interpolated between neighbours. Throws for an empty one. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new Error('an empty sample has no quantiles');
  return below + (above - below) * (place - Math.floor(place));
}

/** Other work on the machine only ever adds, so the least of several is the nearest to what the work itself takes. */
export const fastest = (sample: readonly number[]): number => Math.min(...sample);

export const median = (sample: readonly number[]): number => quantile(sample, 0.5);

/** Milliseconds as `85 ms` or `12.3 s`. */
export const duration = (milliseconds: number): string =>
  milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

/** The same with two decimals below 100 ms. */
export const precise = (milliseconds: number): string =>
  milliseconds < 100 ? `${milliseconds.toFixed(2)} ms` : duration(milliseconds);

/** Bytes as `85 MiB`. */
export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
