import type { IncomingMessage } from 'node:http';
import type { CommandRequest, StdinMode } from '../../../lib/contract/sandboxd';
import { Failure } from '../failure';
import { VARIABLE } from '../commands/shell-text';

/** Of a JSON body, in bytes. Files and stdin are streamed and have none. */
const BODY_LIMIT = 16 * 1024 * 1024;
/** A pipe holds 64 KiB, and the secret must fit into it before anybody reads. */
const SECRET_LIMIT = 32 * 1024;

export async function jsonBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > BODY_LIMIT) throw new Failure('too_large', `the body is longer than ${BODY_LIMIT} bytes: send less`);
    parts.push(part as Buffer);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new Failure('bad_request', 'the body is not a JSON object: send one');
}

const wrong = (field: string, what: string): Failure => new Failure('bad_request', `${field} ${what}`);

function text(field: string, value: unknown, empty = false): string {
  if (typeof value !== 'string') throw wrong(field, 'is not a string: give one');
  if (value.includes('\0')) throw wrong(field, 'contains a NUL character, which no program can take: leave it out');
  if (!empty && value === '') throw wrong(field, 'is empty: give a value');
  return value;
}

function milliseconds(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw wrong(field, 'must be a whole number of milliseconds from 0 to 2147483647');
}

export function size(value: unknown, field = 'terminal'): { readonly cols: number; readonly rows: number } {
  const { cols, rows } = (value ?? {}) as { readonly cols?: unknown; readonly rows?: unknown };
  const fits = (count: unknown): count is number =>
    Number.isInteger(count) && (count as number) > 0 && (count as number) <= 10_000;
  if (fits(cols) && fits(rows)) return { cols, rows };
  throw wrong(field, 'needs cols and rows from 1 to 10000');
}

/** A name that is also the name of a file. */
export function identifier(what: string, value: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/.test(value)) return value;
  throw new Failure(
    'bad_request',
    `${what} ${JSON.stringify(value)} must be 1 to 128 letters, digits, dots, hyphens and underscores, and start with no dot`,
  );
}

const FIELDS = [
  'shell',
  'command',
  'argv',
  'cwd',
  'env',
  'timeoutMs',
  'graceMs',
  'user',
  'stdin',
  'terminal',
  'secret',
  'outputLimit',
];

export function commandRequest(body: Record<string, unknown>): CommandRequest {
  const unknownField = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (unknownField !== undefined)
    throw wrong(unknownField, `is not a field of a command: allowed are ${FIELDS.join(', ')}`);
  const { shell, command, argv, cwd, env, timeoutMs, graceMs, user, stdin, terminal, secret, outputLimit } = body;
  if ((command === undefined) === (argv === undefined)) throw wrong('command', 'or argv: give exactly one of them');
  if ((command === undefined) !== (shell === undefined)) throw wrong('shell', 'goes with command, and not with argv');
  const onlyArgv = { user, terminal };
  for (const [field, value] of Object.entries(onlyArgv)) {
    if (value !== undefined && argv === undefined) throw wrong(field, 'goes with argv only: a shell has its own');
  }
  return {
    ...(shell === undefined
      ? {}
      : { shell: identifier('shell', text('shell', shell)), command: text('command', command, true) }),
    ...(argv === undefined ? {} : { argv: words(argv) }),
    ...(cwd === undefined ? {} : { cwd: text('cwd', cwd) }),
    ...(env === undefined ? {} : { env: variables(env, shell !== undefined) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs: milliseconds('timeoutMs', timeoutMs) }),
    ...(graceMs === undefined ? {} : { graceMs: milliseconds('graceMs', graceMs) }),
    ...(user === undefined ? {} : { user: text('user', user) }),
    ...(stdin === undefined ? {} : { stdin: stdinOf(stdin) }),
    ...(terminal === undefined ? {} : { terminal: size(terminal) }),
    ...(secret === undefined ? {} : { secret: secretOf(secret) }),
    ...(outputLimit === undefined ? {} : { outputLimit: limitOf(outputLimit) }),
  };
}

function words(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) throw wrong('argv', 'must be a list of a program and its arguments');
  return value.map((word, index) => text(`argv[${index}]`, word, index > 0));
}

function variables(value: unknown, inShell: boolean): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('env', 'must be an object of strings');
  const result: Record<string, string> = {};
  for (const [name, content] of Object.entries(value)) {
    if (name === '' || name.includes('=') || name.includes('\0') || (inShell && !VARIABLE.test(name))) {
      throw wrong(
        'env',
        `has the name ${JSON.stringify(name)}, which ${inShell ? 'a shell' : 'a program'} can't take: use letters, digits and underscores`,
      );
    }
    result[name] = text(`env.${name}`, content, true);
  }
  return result;
}

function stdinOf(value: unknown): StdinMode {
  if (value === 'none' || value === 'open' || value === 'offered') return value;
  throw wrong('stdin', 'must be "none", "open" or "offered"');
}

function secretOf(value: unknown): string {
  const secret = text('secret', value);
  if (Buffer.byteLength(secret) <= SECRET_LIMIT) return secret;
  throw new Failure('too_large', `secret is longer than ${SECRET_LIMIT} bytes: send less`);
}

function limitOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 16 && value <= 2 ** 40) return value;
  throw wrong('outputLimit', 'must be a whole number of bytes from 16 to 1099511627776');
}

/** A number in the query of a request; undefined if it isn't there. */
export function queryNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw wrong(name, 'must be a whole number from 0');
}
