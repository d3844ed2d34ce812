import { FREE_FORM } from './api-types';
import { camelName, snakeName } from './camel-name';

/** An answer of the API with the names of this client. What callers put into metadata and the like stays as it is. */
export const fromApi = (value: unknown): unknown => renamed(value, camelName);

/** A request with the names of the API; members that are undefined are left out. */
export const toApi = (value: unknown): unknown => renamed(value, snakeName);

function renamed(value: unknown, nameOf: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, nameOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [nameOf(name), FREE_FORM.has(camelName(name)) ? member : renamed(member, nameOf)]),
  );
}
