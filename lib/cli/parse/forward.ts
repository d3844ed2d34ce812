import { MngrFargateError } from '../../contract/errors';
import type { ForwardRequest } from '../../tasks/index';

const LOOPBACK = '127.0.0.1';

/** Parts between colons; an IPv6 address stands in brackets, which are taken off. */
function partsOf(text: string): string[] | undefined {
  const parts = text.match(/\[[^\]]*\]|[^:[\]]+/g) ?? [];
  return parts.join(':') === text ? parts.map((part) => part.replace(/^\[(.*)\]$/, '$1')) : undefined;
}

const isPort = (text: string | undefined, least: number): text is string =>
  text !== undefined && /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= 65_535;

/** `[BIND:]PORT:[HOST:]PORT` of `-L`. The port here may be 0, for a free one. Throws `usage`. */
export function parseForward(text: string): ForwardRequest {
  const parts = partsOf(text) ?? [];
  const remote = parts.pop();
  // Of three parts, a number first is the port here, and a name after it the host there.
  const here = isPort(parts[0], 0) ? [LOOPBACK, ...parts] : parts;
  const [bind = '', port, host] = here;
  if (here.length >= 2 && here.length <= 3 && isPort(port, 0) && isPort(remote, 1)) {
    return { bind, port: Number(port), host: host ?? null, remotePort: Number(remote) };
  }
  throw new MngrFargateError('usage', `-L takes [BIND:]PORT:[HOST:]PORT, not ${JSON.stringify(text)}`, {
    hint: 'for example 8080:80, 5432:db.internal:5432, or [::1]:0:80 for a free port; ports are 1 to 65535',
  });
}

/** `[BIND:]PORT` of `-D`. Throws `usage`. */
export function parseSocks(text: string): { readonly bind: string; readonly port: number } {
  const parts = partsOf(text) ?? [];
  const port = parts.pop();
  if (parts.length <= 1 && isPort(port, 0)) return { bind: parts[0] ?? LOOPBACK, port: Number(port) };
  throw new MngrFargateError('usage', `-D takes [BIND:]PORT, not ${JSON.stringify(text)}`, {
    hint: 'for example 1080, or 0 for a free port',
  });
}
