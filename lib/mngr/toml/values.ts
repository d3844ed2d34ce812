/** What a key can be set to. */
export type SettingValue = string | number | boolean | readonly string[];

/** The names from the document's root to a table. */
export type TablePath = readonly string[];

/** The values to have in a table, in the order that new ones are written. */
export type TableValues = Readonly<Record<string, SettingValue>>;

/** TOML's basic string. JSON escapes everything that TOML requires to be escaped except DEL. */
const tomlString = (text: string): string => JSON.stringify(text).replaceAll('\u007f', '\\u007f');

export function tomlValue(value: SettingValue): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `[${value.map(tomlString).join(', ')}]`;
}

/** A part of a key: bare if TOML allows it, otherwise quoted. */
export const tomlKey = (part: string): string => (/^[A-Za-z0-9_-]+$/.test(part) ? part : tomlString(part));

/** Key/value pairs, one string each. */
export const tomlPairs = (values: TableValues): string[] =>
  Object.entries(values).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);

/** A whole table as text. */
export const renderTable = (table: TablePath, values: TableValues, eol = '\n'): string =>
  [`[${table.map(tomlKey).join('.')}]`, ...tomlPairs(values), ''].join(eol);
