/** `ttl_seconds` as `ttlSeconds`. */
export const camelName = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());

/** `ttlSeconds` as `ttl_seconds`; `stdoutB64` as `stdout_b64`. */
export const snakeName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
