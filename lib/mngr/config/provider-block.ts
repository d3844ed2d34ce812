import type { TomlTable } from 'smol-toml';
import { parseToml } from '../toml/toml-file';
import type { TablePath, TableValues } from '../toml/table-edit';
import { lineEndOf, renderTable, tableAt, withTableValues } from '../toml/table-edit';
import { tomlValue } from '../toml/value';

/** The values to have in a block, in the order that new ones are written. */
export type BlockValues = TableValues;

const BYTE_ORDER_MARK = '\uFEFF';

const blockPath = (provider: string): TablePath => ['providers', provider];

/** The block of a provider in a parsed file; undefined when there is none. Throws `usage` where something else stands there. */
export const providerTable = (document: TomlTable, provider: string, path: string): TomlTable | undefined =>
  tableAt(document, blockPath(provider), path);

/** A whole `[providers.NAME]` block as text. */
export const renderProviderBlock = (provider: string, values: BlockValues): string =>
  renderTable(blockPath(provider), values);

/**
 * The text of a config.toml with these values in its `[providers.NAME]` block and a top-level `profile` line.
 * All else stays byte for byte (withTableValues).
 */
export function withProviderBlock(
  text: string,
  request: { readonly provider: string; readonly values: BlockValues; readonly profile: string; readonly path: string },
): string {
  const { provider, values, profile, path } = request;
  return withTableValues(withProfileLine(text, profile, path), blockPath(provider), values, path);
}

/** The text with `profile = "…"` as its first line, unless it has a profile. Without one, mngr overwrites the file. */
export function withProfileLine(text: string, profile: string, path: string): string {
  if (parseToml(text, path).profile !== undefined) return text;
  const start = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  return `${text.slice(0, start)}profile = ${tomlValue(profile)}${lineEndOf(text)}${text.slice(start)}`;
}
