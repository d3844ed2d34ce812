/** Versions of mngr that the plugin works with, as its pyproject.toml has them. */
export const SUPPORTED_MNGR = '>=0.2.13,<0.4';
/** The lowest version and the first that is too high (major, minor, micro), and Python's lowest. */
const OLDEST = [0, 2, 13] as const;
const FIRST_UNKNOWN = [0, 4, 0] as const;
const OLDEST_PYTHON = [3, 12] as const;

const numbersOf = (version: string): number[] => (version.split('+')[0]?.match(/\d+/g) ?? []).slice(0, 3).map(Number);

function isBefore(version: string, limit: readonly number[]): boolean {
  const numbers = numbersOf(version);
  for (const [index, wanted] of limit.entries()) {
    const number = numbers[index] ?? 0;
    if (number !== wanted) return number < wanted;
  }
  return false;
}

export const isSupportedMngr = (version: string): boolean =>
  !isBefore(version, OLDEST) && isBefore(version, FIRST_UNKNOWN);

export const isSupportedPython = (version: string): boolean => !isBefore(version, OLDEST_PYTHON);
