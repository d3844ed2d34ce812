import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import { MngrFargateError } from '../../contract/errors';
import { editsThatRemove } from './remove-keys';
import { editsThatSet } from './set-values';
import type { TextEdit } from './text-edits';
import { applyEdits } from './text-edits';
import type { TablePath, TableValues } from './values';
import { renderTable } from './values';
import type { TomlTable } from './toml-table';

/**
 * A TOML file: its exact text, and its content. An edit returns a new TomlFile in which everything else stays byte for
 * byte the same: comments, order, line ends, other keys. Every edit checks itself: the new text is parsed and compared
 * with the old document, and an edit that would change anything else throws `failed`.
 */
export class TomlFile {
  private constructor(
    readonly path: string,
    readonly text: string,
    readonly document: TomlTable,
  ) {}

  /** Throws a `usage` error that names the file and the line. */
  static parse(text: string, path: string): TomlFile {
    try {
      return new TomlFile(path, text, parse(text, { integersAsBigInt: 'asNeeded' }));
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [reason] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
      throw new MngrFargateError('usage', `${path} is not valid TOML, line ${error.line}: ${reason}`, {
        cause: error,
        details: { file: path, line: error.line, column: error.column },
      });
    }
  }

  /** A missing file is empty. Throws `usage` for text that isn't UTF-8 or TOML, `failed` if it can't be read. */
  static async read(path: string): Promise<TomlFile> {
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return new TomlFile(path, '', {});
      throw new MngrFargateError('failed', `${path} cannot be read: ${code ?? String(error)}`, { cause: error });
    }
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new MngrFargateError('usage', `${path} is not valid TOML: it is not UTF-8`, { cause: error });
    }
    return TomlFile.parse(text, path);
  }

  /** A table; undefined if there is none. Throws `usage` if there is something else in its place. */
  table(table: TablePath): TomlTable | undefined {
    let found = this.document;
    for (const [index, name] of table.entries()) {
      const next = Object.hasOwn(found, name) ? found[name] : undefined;
      if (next === undefined) return undefined;
      if (!isTable(next)) {
        const where = table.slice(0, index + 1).join('.');
        throw new MngrFargateError('usage', `${this.path}: "${where}" must be a table`);
      }
      found = next;
    }
    return found;
  }

  /** The file with these values in one of its tables, which is created if it doesn't exist. */
  withValues(table: TablePath, values: TableValues): TomlFile {
    const edits = editsThatSet(this.text, table, this.table(table) ?? {}, values);
    return this.edited(edits, {
      table,
      keys: Object.keys(values),
      isRight: (made) => Object.entries(values).every(([key, value]) => isDeepStrictEqual(made[key], value)),
      hint: `add these lines by hand: ${renderTable(table, values)}`,
    });
  }

  /** The file without some keys of one of its tables. A header with nothing left below it is removed too. */
  withoutKeys(table: TablePath, keys: readonly string[]): TomlFile {
    const present = this.table(table);
    if (present === undefined || !keys.some((key) => Object.hasOwn(present, key))) return this;
    return this.edited(editsThatRemove(this.text, table, keys), {
      table,
      keys,
      isRight: (left) => !keys.some((key) => Object.hasOwn(left, key)),
      hint: `remove ${keys.join(', ')} of [${table.join('.')}] by hand`,
    });
  }

  private edited(edits: readonly TextEdit[], { table, keys, isRight, hint }: EditCheck): TomlFile {
    const after = TomlFile.parse(applyEdits(this.text, edits), this.path);
    const [one, other] = [this, after].map(({ document }) => documentWithoutKeys(document, table, keys));
    if (isDeepStrictEqual(one, other) && isRight(after.table(table) ?? {})) return after;
    throw new MngrFargateError(
      'failed',
      `${this.path} cannot be edited without changing other settings; it was left as it is`,
      { hint },
    );
  }
}

/** The purpose of an edit, and whether the table is as intended afterwards. */
interface EditCheck {
  readonly table: TablePath;
  readonly keys: readonly string[];
  readonly isRight: (table: TomlTable) => boolean;
  readonly hint: string;
}

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The document without some keys of a table. The table exists even if it was empty. */
function documentWithoutKeys(document: TomlTable, [name, ...inner]: TablePath, keys: readonly string[]): TomlTable {
  if (name === undefined) return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
  const table = document[name];
  return { ...document, [name]: documentWithoutKeys(isTable(table) ? table : {}, inner, keys) };
}
