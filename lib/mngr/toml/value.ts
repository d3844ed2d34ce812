/** What a provider block holds. */
export type SettingValue = string | number | boolean | readonly string[];

/** TOML's basic string. JSON escapes all that TOML wants escaped but DEL. */
const tomlString = (text: string): string => JSON.stringify(text).replaceAll('\u007f', '\\u007f');

export function tomlValue(value: SettingValue): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `[${value.map(tomlString).join(', ')}]`;
}

/** A key's part: bare where TOML allows, else quoted. */
export const tomlKey = (part: string): string => (/^[A-Za-z0-9_-]+$/.test(part) ? part : tomlString(part));
