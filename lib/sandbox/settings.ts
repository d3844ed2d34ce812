import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { MngrFargateError } from '../contract/errors';
import { FARGATE_SIZES, smallestFargateSize } from '../contract/fargate-sizes';

/** What the service is told by its environment. Durations are in seconds. */
export interface SandboxSettings {
  /** For the service's secret, its hosts' keys and, by default, its database. */
  readonly dataDirectory: string;
  readonly databaseFile: string;
  readonly journal: 'wal' | 'rollback';
  /** The operator's own key, an admin of the default tenant. */
  readonly secret?: string;
  readonly masterSecret?: string;
  /** Default: the image of the task definition. */
  readonly image?: string;
  /** CPU units and MiB of a session that asks for nothing. */
  readonly cpu: number;
  readonly memory: number;
  readonly ttlSeconds: number;
  /** Sessions that may have a host at once: of all keys, and of one. */
  readonly maxSessions: number;
  readonly maxSessionsOfKey: number;
  readonly maxAgeSeconds: number;
  /** A session that wasn't used for this long is stale whatever its time to live. Absent: its time to live alone counts. */
  readonly staleAfterSeconds?: number;
  /** How long events are kept after the end of their session. */
  readonly retentionDays: number;
  /** Calls a second of a key that has no rate of its own. */
  readonly rate: number;
  /** Bytes of output that are kept of each command after its end. */
  readonly resultBytes: number;
  readonly startTimeoutSeconds: number;
  /** What was changed to something possible, for people. */
  readonly notes: readonly string[];
}

export const MIN_TTL_SECONDS = 5;
const DAY = 86_400;
const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: MIB, g: 1024 * MIB };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings from environment variables; the seed's names keep their meaning. Throws `usage` that names the variable, the
 * value and what is allowed.
 */
export function settingsOfEnvironment(environment: Environment): SandboxSettings {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const count = (name: string, otherwise: number, least = 1, most = 2 ** 31 - 1): number =>
    numberOf(name, text(name), { least, most, whole: true }) ?? otherwise;

  const dataDirectory = resolve(text('SANDBOX_DATA_DIRECTORY') ?? join(homedir(), '.mngr-fargate', 'sandbox'));
  const maxSessions = count('MAX_CONTAINERS', 50);
  const maxAgeSeconds = count('SANDBOX_MAX_AGE_SECONDS', DAY, 60);
  const ttlSeconds = count('DEFAULT_TTL_SECONDS', 1800, MIN_TTL_SECONDS, maxAgeSeconds);
  const staleMinutes = numberOf('CLEANUP_STALE_THRESHOLD_MINUTES', text('CLEANUP_STALE_THRESHOLD_MINUTES'), {
    least: 0,
    above: true,
  });
  return {
    dataDirectory,
    databaseFile: resolve(text('DB_PATH') ?? join(dataDirectory, 'sandbox.db')),
    journal: oneOf('SANDBOX_JOURNAL', text('SANDBOX_JOURNAL'), ['wal', 'rollback']) ?? 'wal',
    secret: secretOf(environment.SANDBOX_SECRET),
    masterSecret: text('SANDBOX_MASTER_SECRET'),
    image: text('SANDBOX_IMAGE'),
    ...sizeOf(text('SANDBOX_CPU_LIMIT') ?? '0.5', text('SANDBOX_MEMORY_LIMIT') ?? '512m'),
    ttlSeconds,
    maxSessions,
    maxSessionsOfKey: count('SANDBOX_MAX_SESSIONS_PER_KEY', maxSessions),
    maxAgeSeconds,
    ...(staleMinutes !== undefined && { staleAfterSeconds: staleMinutes * 60 }),
    retentionDays: numberOf('CLEANUP_RETENTION_DAYS', text('CLEANUP_RETENTION_DAYS'), { least: 0 }) ?? 7,
    rate: numberOf('SANDBOX_RATE_LIMIT', text('SANDBOX_RATE_LIMIT'), { least: 0, above: true }) ?? 1000,
    resultBytes: count('SANDBOX_RESULT_BYTES', 8 * MIB, 1024, 256 * MIB),
    startTimeoutSeconds: count('SANDBOX_START_TIMEOUT_SECONDS', 600, 10, 3600),
  };
}

const invalid = (name: string, value: string, allowed: string): MngrFargateError =>
  new MngrFargateError('usage', `${name} is ${JSON.stringify(value)}: use ${allowed}`);

interface Range {
  readonly least: number;
  readonly most?: number;
  readonly whole?: boolean;
  /** The least itself isn't allowed. */
  readonly above?: boolean;
}

function numberOf(name: string, text: string | undefined, range: Range): number | undefined {
  if (text === undefined) return undefined;
  const { least, most = Infinity, whole = false, above = false } = range;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value)) && !(above && value === least))
    return value;
  const kind = whole ? 'a whole number' : 'a number';
  const lower = above ? `above ${least}` : `of at least ${least}`;
  throw invalid(name, text, `${kind} ${lower}${most < 2 ** 31 - 1 ? ` and at most ${most}` : ''}`);
}

function oneOf<T extends string>(name: string, text: string | undefined, allowed: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw invalid(name, text, allowed.join(' or '));
}

/** A key is compared as it is; one that could not be sent in a header would shut everybody out. */
function secretOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[\x21-\x7e]{1,512}$/.test(text)) return text;
  throw new MngrFargateError('usage', 'SANDBOX_SECRET must be 1 to 512 printable ASCII characters without spaces', {
    hint: 'use for example the output of "openssl rand -hex 32"',
  });
}

/** Rounded up to what Fargate has. */
function sizeOf(cpuText: string, memoryText: string): { cpu: number; memory: number; notes: string[] } {
  const [largestCpu, memories] = [...FARGATE_SIZES].at(-1) as [number, readonly number[]];
  const vcpus = numberOf('SANDBOX_CPU_LIMIT', cpuText, { least: 0, above: true, most: largestCpu / 1024 }) as number;
  const match = /^(\d+(?:\.\d+)?)([bkmg]?)b?$/i.exec(memoryText);
  const bytes = Number(match?.[1]) * (UNITS[(match?.[2] || 'b').toLowerCase()] as number);
  const mebibytes = bytes / MIB;
  const largest = memories.at(-1) as number;
  if (!(mebibytes > 0 && mebibytes <= largest))
    throw invalid('SANDBOX_MEMORY_LIMIT', memoryText, `a size such as 512m or 2g, at most ${largest / 1024}g`);
  const wanted = { cpu: Math.ceil(vcpus * 1024), memory: Math.ceil(mebibytes) };
  const size = smallestFargateSize(wanted.cpu, wanted.memory) as { cpu: number; memory: number };
  const same = size.cpu === wanted.cpu && size.memory === wanted.memory;
  const note = `SANDBOX_CPU_LIMIT ${cpuText} and SANDBOX_MEMORY_LIMIT ${memoryText} are rounded up to a size that Fargate has: ${size.cpu / 1024} vCPU, ${size.memory} MiB`;
  return { ...size, notes: same ? [] : [note] };
}
