import type { Http } from './http';

/** A text for one URL of this sandbox, good for a minute: links and WebSockets of browsers have no headers, and a key has no place in a URL. */
export const ticketOf = async (http: Http, box: string, signal?: AbortSignal): Promise<string> =>
  (await http.json<{ ticket: string }>({ method: 'POST', path: `${box}/tickets`, signal })).ticket;
