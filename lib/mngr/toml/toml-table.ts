/**
 * A table of a TOML document, as smol-toml reads it. Declared here, since this package's types mention it: smol-toml is an
 * ES module, whose types a CommonJS program of TypeScript can't name.
 */
export type TomlTable = Record<string, unknown>;
