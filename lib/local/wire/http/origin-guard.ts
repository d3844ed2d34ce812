import type { RequestHead } from './request';

/** Names under which a program of this machine reaches the endpoint. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i;

/**
 * Why a request must not be served: it was sent by a web page, or to a name that isn't this machine's loopback
 * (a page can point a name of its own at 127.0.0.1). Undefined for programs.
 */
export function originProblem(request: RequestHead, port: number): string | undefined {
  const host = request.headers.host ?? '';
  const match = LOOPBACK_HOST.exec(host);
  if (match === null || Number(match[1] ?? 80) !== port) {
    return `the Host header "${host}" does not name this endpoint: use 127.0.0.1:${port}`;
  }
  if (request.headers.origin !== undefined) return 'requests from web pages (with an Origin header) are not served';
  if (request.headers['sec-fetch-site'] !== undefined) {
    return 'requests from web browsers (with a Sec-Fetch-Site header) are not served';
  }
  return undefined;
}
