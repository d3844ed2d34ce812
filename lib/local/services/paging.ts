/** Tokens of paged answers: opaque to callers, and only valid for the query that they came from. */
interface Position {
  /** Where the next page begins: a sequence number or an index. */
  readonly after: number;
  /** The query that the page belongs to. */
  readonly query: string;
}

export const encodeToken = (after: number, query: string): string =>
  Buffer.from(JSON.stringify({ after, query } satisfies Position)).toString('base64url');

/** Where a token's page begins; undefined if the token belongs to another query. */
export function decodeToken(token: string, query: string): number | undefined {
  try {
    const position = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Partial<Position>;
    return position.query === query && Number.isSafeInteger(position.after) ? position.after : undefined;
  } catch {
    return undefined;
  }
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

/** A page of a list. Calls `invalid` for the error to throw for a token of another query. */
export function pageOf<T>(
  all: readonly T[],
  size: number,
  token: string | undefined,
  query: string,
  invalid: () => Error,
): Page<T> {
  const start = token === undefined ? 0 : decodeToken(token, query);
  if (start === undefined) throw invalid();
  const end = start + size;
  return { items: all.slice(start, end), nextToken: end < all.length ? encodeToken(end, query) : undefined };
}
