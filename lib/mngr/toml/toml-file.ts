import { readFile } from 'node:fs/promises';
import type { TomlTable } from 'smol-toml';
import { parse, TomlError } from 'smol-toml';
import { MngrFargateError } from '../../contract/errors';

/** A TOML file as it is on the disk: its exact text and what it says. A missing file is empty. */
export interface TomlFile {
  readonly path: string;
  readonly exists: boolean;
  readonly text: string;
  readonly document: TomlTable;
}

/** Parses TOML. Throws a `usage` error that names the file and the line. */
export function parseToml(text: string, path: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new MngrFargateError('usage', `${path} is not valid TOML, line ${error.line}: ${reason}`, {
      cause: error,
      details: { file: path, line: error.line, column: error.column },
    });
  }
}

/** Reads a TOML file without losing a byte. Throws `usage` for text that isn't UTF-8 or TOML, `failed` where it can't be read. */
export async function readTomlFile(path: string): Promise<TomlFile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { path, exists: false, text: '', document: {} };
    throw new MngrFargateError('failed', `${path} cannot be read: ${code ?? String(error)}`, { cause: error });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new MngrFargateError('usage', `${path} is not valid TOML: it is not UTF-8`, { cause: error });
  }
  return { path, exists: true, text, document: parseToml(text, path) };
}
