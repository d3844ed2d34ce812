import { TomlFile } from '../toml/toml-file';
import { lineEndOf } from '../toml/text-edits';
import type { TablePath, TableValues } from '../toml/values';
import { renderTable, tomlPairs } from '../toml/values';

const BYTE_ORDER_MARK = '\uFEFF';

/** Where a provider's block is in a config.toml or settings.toml. */
export const providerTable = (provider: string): TablePath => ['providers', provider];

/** A whole `[providers.NAME]` block as text. */
export const renderProviderBlock = (provider: string, values: TableValues): string =>
  renderTable(providerTable(provider), values);

/** The file with `profile = "…"` as its first line, unless it has a profile. Without one, mngr overwrites the file. */
export function withProfileLine(file: TomlFile, profile: string): TomlFile {
  const { document, text, path } = file;
  if (document.profile !== undefined) return file;
  const start = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const line = tomlPairs({ profile }).join('') + lineEndOf(text);
  return TomlFile.parse(text.slice(0, start) + line + text.slice(start), path);
}
