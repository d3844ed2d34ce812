/** Newer than 1.2.331.0, from which on agents leave smux's keep-alive out. */
export const CLIENT_VERSION = '1.2.707.0';

/** Whether a dotted version is greater than another; a part that isn't a number counts as 0. */
export function isNewer(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  for (let index = 0; index < length; index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
