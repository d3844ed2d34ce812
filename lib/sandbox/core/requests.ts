import { createHash } from 'node:crypto';
import { fargateSizeProblem, smallestFargateSize } from '../../contract/fargate-sizes';
import type { CommandRequest } from '../../contract/sandboxd';
import { SandboxError } from '../model/errors';
import type { CreateSession, SubmitEvent } from '../model/types';
import type { SandboxSettings } from '../settings';
import { MIN_TTL_SECONDS } from '../settings';

const MAX_ID = 128;
const MAX_METADATA_BYTES = 16 * 1024;
const MAX_METADATA_MEMBERS = 64;
const MAX_IDEMPOTENCY_KEY = 255;
/** The shell session of a command line that names none. Git works in its place among that shell's commands. */
export const DEFAULT_SHELL = 'main';

const refuse = (message: string, field: string): SandboxError => new SandboxError('bad_request', message, { field });

export function checkId(id: string): void {
  const bad = id.length < 1 || id.length > MAX_ID || /[\p{Cc}\p{Surrogate}/]/u.test(id) || id === '.' || id === '..';
  if (bad) throw refuse(`id must be 1 to ${MAX_ID} characters without control characters and "/"`, 'id');
}

export function checkTtl(seconds: number, { maxAgeSeconds }: SandboxSettings): void {
  if (seconds >= MIN_TTL_SECONDS && seconds <= maxAgeSeconds) return;
  throw refuse(`ttl_seconds must be ${MIN_TTL_SECONDS} to ${maxAgeSeconds}, not ${seconds}`, 'ttl_seconds');
}

export function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const members = Object.keys(metadata).length;
  if (members > MAX_METADATA_MEMBERS)
    throw refuse(`metadata has ${members} members: at most ${MAX_METADATA_MEMBERS} are allowed`, 'metadata');
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > MAX_METADATA_BYTES)
    throw refuse(`metadata takes ${bytes} bytes as JSON: at most ${MAX_METADATA_BYTES} are allowed`, 'metadata');
}

/** The size of a session: what it asks for, the smallest that fits where it names one of the two, else the service's. */
export function sizeOf({ cpu, memory }: CreateSession, settings: SandboxSettings): { cpu: number; memory: number } {
  if (cpu === undefined && memory === undefined) return { cpu: settings.cpu, memory: settings.memory };
  if (cpu === undefined || memory === undefined) {
    const fits = smallestFargateSize(cpu ?? 0, memory ?? 0);
    if (
      fits !== undefined &&
      (cpu === undefined || fits.cpu === cpu) &&
      (memory === undefined || fits.memory === memory)
    )
      return fits;
  }
  const size = { cpu: cpu ?? settings.cpu, memory: memory ?? settings.memory };
  const problem = fargateSizeProblem(size.cpu, size.memory);
  if (problem !== undefined) throw refuse(problem, problem.startsWith('cpu') ? 'cpu' : 'memory');
  return size;
}

export function checkImage(image: string): void {
  if (/^[\x21-\x7e]{1,512}$/.test(image)) return;
  throw refuse('image must be the URI of a container image, without spaces', 'image');
}

export function checkIdempotencyKey(key: string): void {
  if (/^[\x20-\x7e]+$/.test(key) && key.length <= MAX_IDEMPOTENCY_KEY) return;
  throw refuse(`the Idempotency-Key must be 1 to ${MAX_IDEMPOTENCY_KEY} printable ASCII characters`, 'Idempotency-Key');
}

/** Tells whether a repeated request is the same. What is secret in it can't be found out from the digest by guessing alone. */
export const digestOf = (salt: string, request: unknown): string =>
  createHash('sha256')
    .update(salt)
    .update(JSON.stringify(sorted(request)) ?? '')
    .digest('hex');

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)).map(([k, v]) => [k, sorted(v)]));
};

/** Which commands run in order. */
export const queueOf = ({ shell, command, kind }: SubmitEvent): string | null => {
  if (shell !== undefined) return shell;
  return command !== undefined || kind !== 'exec_submit' ? DEFAULT_SHELL : null;
};

/** What the engine is to do. */
export function commandRequestOf(event: SubmitEvent): CommandRequest {
  const { command, argv, cwd, env, timeoutSeconds, user, stdin, terminal, secret } = event;
  if ((command === undefined) === (argv === undefined)) throw refuse('give either a command line or argv', 'cmd');
  return {
    ...(command === undefined ? { argv } : { command, shell: event.shell ?? DEFAULT_SHELL }),
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    ...(timeoutSeconds !== undefined && { timeoutMs: Math.round(timeoutSeconds * 1000) }),
    ...(user !== undefined && { user }),
    ...(stdin !== undefined && { stdin }),
    ...(terminal !== undefined && { terminal }),
    ...(secret !== undefined && { secret }),
  };
}
