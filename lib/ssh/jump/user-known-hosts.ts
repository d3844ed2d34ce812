import { createHmac } from 'node:crypto';
import { knownHostsName } from '../known-hosts';

/** What a user's known_hosts files say about one server. Keys are in SSH wire form. */
export interface KnownServer {
  readonly keys: readonly Buffer[];
  /** Keys that are never accepted. */
  readonly revoked: readonly Buffer[];
  /** Whether a certificate authority vouches for it, which we can't check. */
  readonly hasAuthority: boolean;
}

type Marker = '@revoked' | '@cert-authority';

const HASHED = /^\|1\|([^|]+)\|([^|]+)$/;

/** Looks a server up as OpenSSH does (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): by its port, else without it. */
export function knownServer(texts: readonly string[], host: string, port: number): KnownServer {
  const entries = texts.flatMap((text) => text.split(/\r?\n/)).flatMap(entryIn);
  const named = (name: string): Entry[] => entries.filter(({ names }) => matches(names, name.toLowerCase()));
  const byPort = named(knownHostsName(host, port));
  const all = [...new Set([...byPort, ...named(host)])];
  const found = keysOf(byPort, undefined).length > 0 ? byPort : all;
  return {
    keys: keysOf(found, undefined),
    revoked: keysOf(all, '@revoked'),
    hasAuthority: found.some(({ marker }) => marker === '@cert-authority'),
  };
}

interface Entry {
  readonly marker: Marker | undefined;
  readonly names: string;
  readonly key: Buffer;
}

const keysOf = (entries: readonly Entry[], wanted: Marker | undefined): Buffer[] =>
  entries.filter(({ marker }) => marker === wanted).map(({ key }) => key);

/** The length of a type and its name, with which a key in SSH wire form begins. */
const SHORTEST_KEY = 8;

/** None for an empty line, a comment, an unknown marker, or what isn't a key. */
function entryIn(line: string): Entry[] {
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [names, type, key] = words;
  if (names === undefined || names.startsWith('#') || type === undefined || key === undefined) return [];
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return [];
  const blob = Buffer.from(key, 'base64');
  return blob.length < SHORTEST_KEY ? [] : [{ marker, names, key: blob }];
}

/** Names are hashed, or patterns with `*` and `?`, of which one with `!` rules the line out. */
function matches(names: string, name: string): boolean {
  const hashed = HASHED.exec(names);
  if (hashed !== null) {
    const [, salt = '', hash = ''] = hashed;
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
  }
  const patterns = names.toLowerCase().split(',');
  const fits = (pattern: string): boolean => patternOf(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return patterns.some(fits);
}

const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.')}$`,
  );
