import { SandboxError } from '../../model/errors';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Where a repository is, without the credentials that its URL had. */
export interface GitUrl {
  readonly url: string;
  /** Scheme, host and port, for http and https: whom credentials may be shown to. */
  readonly origin: string | undefined;
  readonly credentials: Credentials | undefined;
}

const ALLOWED = 'use a URL with http, https, ssh, git or file, the form user@host:path, or an absolute path';
const SCHEMES = ['http:', 'https:', 'ssh:', 'git:', 'file:'];

/**
 * Reads the URL of a repository. Anything that git could take for an option, or for a helper program (`ext::`), is refused.
 * Throws `bad_request`.
 */
export function gitUrl(text: string, field: string): GitUrl {
  const refuse = (problem: string): never => {
    throw new SandboxError('bad_request', `${field} ${problem}: ${ALLOWED}`, { field });
  };
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) refuse('has a control character');
  if (text.startsWith('-')) refuse('starts with -, which git takes for an option');
  if (text.includes('::')) refuse('has ::, which makes git run a helper program');
  if (text.startsWith('/')) return { url: text, origin: undefined, credentials: undefined };
  if (text.includes(' ')) refuse('has a space');
  // The short form of ssh, in which neither user nor host can be an option.
  if (/^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!\/\/)[^-].*$/.test(text)) {
    return { url: text, origin: undefined, credentials: undefined };
  }
  if (!URL.canParse(text)) return refuse('is not the URL of a repository');
  const url = new URL(text);
  if (!SCHEMES.includes(url.protocol)) refuse(`has the scheme ${url.protocol.slice(0, 20)}`);
  if (url.hostname.startsWith('-') || url.username.startsWith('-')) refuse('has a host or user that starts with -');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    if (url.password !== '') refuse('has a password, which only http and https can take');
    return { url: text, origin: undefined, credentials: undefined };
  }
  const credentials =
    url.username === '' && url.password === ''
      ? undefined
      : credentialsOf(decode(url.username, refuse), decode(url.password, refuse));
  url.username = '';
  url.password = '';
  return { url: url.href, origin: `${url.protocol}//${url.host}`, credentials };
}

/** A URL with one name alone has a token there, as GitHub's documents write it. */
const credentialsOf = (username: string, password: string): Credentials =>
  password === '' ? { username: TOKEN_USER, password: username } : { username, password };

/** The user that goes with a token at GitHub; others take any. */
export const TOKEN_USER = 'x-access-token';

function decode(text: string, refuse: (problem: string) => never): string {
  const decoded = decodedOrNothing(text);
  if (decoded === undefined) return refuse('has credentials that are not encoded for a URL');
  // eslint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f]/.test(decoded) ? refuse('has credentials with a control character') : decoded;
}

function decodedOrNothing(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
