import { RESERVED_TAG_PREFIX } from './tags';

/** Rules for the settings of a host. Each function returns what is wrong, or undefined. */

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** The public keys that OpenSSH's sshd accepts in authorized_keys, without options. */
const PUBLIC_KEY =
  /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,3}(?: [^\r\n]*)?$/;
/** The allowed characters (ECS API, Tag). */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function variableProblem(name: string): string | undefined {
  if (VARIABLE.test(name)) return undefined;
  return `${JSON.stringify(name)} is not a valid name for an environment variable: use letters, digits and _, and do not start with a digit`;
}

export const isPublicKey = (line: string): boolean => PUBLIC_KEY.test(line.trim());

/** Does not repeat a private key that was given by mistake. */
export function publicKeyProblem(key: string): string | undefined {
  if (isPublicKey(key)) return undefined;
  const advice = 'give one line as in a .pub file';
  if (/PRIVATE KEY/.test(key)) return `a private key was given, which must stay secret: ${advice}`;
  return `${JSON.stringify(key.slice(0, 40))} is not an OpenSSH public key: ${advice}`;
}

/** Checks AWS's rules for tags and the reserved prefix. */
export function tagProblem(key: string, value: string): string | undefined {
  if (key === '' || key.length > 128 || !TAG_TEXT.test(key))
    return `tag key ${JSON.stringify(key)} is not valid: use 1 to 128 letters, digits, spaces and _.:/=+-@`;
  if (value.length > 256 || !TAG_TEXT.test(value))
    return `the value of tag ${key} is not valid: use at most 256 letters, digits, spaces and _.:/=+-@`;
  if (key.startsWith(RESERVED_TAG_PREFIX))
    return `tag ${key} is reserved: user tags cannot start with ${RESERVED_TAG_PREFIX}`;
  if (/^aws:/i.test(key)) return `tag ${key} is reserved by AWS: use a key that does not start with aws:`;
  return undefined;
}
