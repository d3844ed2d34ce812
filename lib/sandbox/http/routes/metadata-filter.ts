import { SandboxError } from '../../model/errors';

const SYNTAX = 'give metadata[NAME]=VALUE, or metadata=NAME=VALUE';

/**
 * The metadata that a list asks for: `metadata[NAME]=VALUE`, `metadata.NAME=VALUE` or `metadata=NAME=VALUE`, each as often as need be. Throws
 * `bad_request` for any other name in the query that isn't one of `others`.
 */
export function metadataFilter(
  query: Readonly<Record<string, unknown>>,
  others: readonly string[],
): Record<string, string> {
  const filter: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, values] of Object.entries(query)) {
    if (others.includes(name)) continue;
    for (const value of [values].flat()) {
      const [key, wanted] = pairOf(name, String(value));
      if (filter[key] !== undefined && filter[key] !== wanted) {
        throw new SandboxError('bad_request', 'metadata has two values for one name: give one', { field: name });
      }
      filter[key] = wanted;
    }
  }
  return filter;
}

function pairOf(name: string, value: string): [string, string] {
  const [, bracketed, dotted] = /^metadata(?:\[(.+)\]|\.(.+))$/s.exec(name) ?? [];
  const key = bracketed ?? dotted;
  if (key !== undefined) return [key, value];
  if (name !== 'metadata') {
    throw new SandboxError('bad_request', `${name.slice(0, 100)} is not known here: ${SYNTAX}`, { field: name });
  }
  const equals = value.indexOf('=');
  if (equals < 1) throw new SandboxError('bad_request', `metadata has no NAME=: ${SYNTAX}`, { field: 'metadata' });
  return [value.slice(0, equals), value.slice(equals + 1)];
}
