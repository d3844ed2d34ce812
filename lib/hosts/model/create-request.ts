import { BOOT_ENVIRONMENT, DEFAULT_BOOT_LEASE_SECONDS } from '../../contract/boot-variables';
import { MngrFargateError } from '../../contract/errors';
import { ephemeralStorageProblem, fargateSizeProblem } from '../../contract/fargate-sizes';
import { isHostName } from '../../contract/host-name';
import { publicKeyProblem, tagProblem, variableProblem } from '../../contract/host-rules';
import type { ProviderConfig } from '../../contract/provider-config';
import { HOST_OWNERS, HOST_TAGS, isHostOwner, MAX_TAGS_PER_TASK } from '../../contract/tags';
import type { HostOwner } from '../../contract/tags';
import type { CreateHostRequest } from './types';

/** A checked request with the provider's defaults filled in. */
export interface CheckedRequest {
  readonly name: string;
  readonly command: readonly string[] | null;
  readonly cpu: number;
  readonly memory: number;
  readonly image: string | undefined;
  readonly spot: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly idleTimeout: number;
  readonly maxAge: number | undefined;
  readonly subnets: readonly string[];
  readonly ephemeralStorage: number | undefined;
  readonly authorizedKeys: readonly string[];
  readonly owner: HostOwner;
  readonly wait: boolean;
  readonly timeout: number;
  readonly bootLeaseSeconds: number;
}

const DEFAULT_TIMEOUT_SECONDS = 600;
/** Seconds. */
const MIN_MAX_AGE = 60;

const usage = (message: string, hint?: string): MngrFargateError => new MngrFargateError('usage', message, { hint });

function wholeNumber(what: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min)
    throw usage(`${what} must be a whole number of at least ${min}, not ${value}`);
}

export function checkHostName(name: string): void {
  if (isHostName(name)) return;
  throw usage(
    `${JSON.stringify(name)} is not a valid host name: use letters, digits, \`-\` and \`_\`, at most 63, the first and last a letter or digit`,
  );
}

/** Checks user tags against AWS's rules and our reserved prefix. `ours` is the number of tags that the host has besides. */
export function checkTags(tags: Readonly<Record<string, string>>, ours = Object.keys(HOST_TAGS).length): void {
  const entries = Object.entries(tags);
  for (const [key, value] of entries) {
    const problem = tagProblem(key, value);
    if (problem !== undefined) throw usage(problem);
  }
  const most = MAX_TAGS_PER_TASK - ours;
  if (entries.length > most) throw usage(`${entries.length} tags are too many: a host may have ${most}`);
}

/** Checks a request before anything is done. Throws `usage`. */
export function checkRequest(request: CreateHostRequest, config: ProviderConfig): CheckedRequest {
  const { name, env = {}, tags = {}, authorizedKeys = [], command } = request;
  checkHostName(name);
  const cpu = request.cpu ?? config.cpu;
  const memory = request.memory ?? config.memory;
  const size = fargateSizeProblem(cpu, memory);
  if (size !== undefined) throw usage(size);
  if (request.ephemeralStorage !== undefined) {
    const storage = ephemeralStorageProblem(request.ephemeralStorage);
    if (storage !== undefined) throw usage(storage);
  }
  if (command !== undefined && (command.length === 0 || command[0] === ''))
    throw usage('the command is empty: give a program, or leave it out');
  if (command?.some((word) => word.includes('\0')))
    throw usage('the command contains a NUL character, which no program can take');
  if (request.image !== undefined && !/^\S+$/.test(request.image))
    throw usage(`${JSON.stringify(request.image)} is not an image URI`);
  for (const [variable, value] of Object.entries(env)) {
    const problem = variableProblem(variable);
    if (problem !== undefined) throw usage(problem);
    if (value.includes('\0'))
      throw usage(`the value of ${variable} contains a NUL character, which no variable can hold`);
  }
  checkTags(tags);
  for (const key of authorizedKeys) {
    const problem = publicKeyProblem(key);
    if (problem !== undefined) throw usage(problem);
  }
  if (request.owner !== undefined && !isHostOwner(request.owner))
    throw usage(`${JSON.stringify(request.owner)} is not a valid owner: use ${HOST_OWNERS.join(', ')}`);
  const idleTimeout = request.idleTimeout ?? config.default_idle_timeout;
  wholeNumber('idle timeout', idleTimeout, 0);
  const maxAge = request.maxAge ?? config.default_max_age;
  if (maxAge !== undefined) wholeNumber('maximum age', maxAge, MIN_MAX_AGE);
  const timeout = request.timeout ?? DEFAULT_TIMEOUT_SECONDS;
  if (!(timeout > 0)) throw usage(`timeout must be more than 0 seconds, not ${timeout}`);
  const bootLeaseSeconds = request.bootLeaseSeconds ?? Math.max(DEFAULT_BOOT_LEASE_SECONDS, 0);
  wholeNumber('boot lease', bootLeaseSeconds, 0);
  const subnets = request.subnets ?? config.subnets;
  if (subnets.length === 0) {
    throw usage(
      'no subnets are configured',
      'set `subnets` in the provider block or MNGR_FARGATE_SUBNETS, or run `mngr-fargate config write`',
    );
  }
  return {
    name,
    command: command ?? null,
    cpu,
    memory,
    image: request.image,
    spot: request.spot ?? false,
    env,
    tags,
    idleTimeout,
    maxAge,
    subnets,
    ephemeralStorage: request.ephemeralStorage,
    authorizedKeys: authorizedKeys.map((key) => key.trim()),
    owner: request.owner ?? 'launcher',
    wait: request.wait ?? true,
    timeout,
    bootLeaseSeconds,
  };
}

/** The container's environment at boot. It contains no secret that is still valid after the boot. */
export function bootEnvironment(
  request: CheckedRequest,
  identity: { readonly hostId: string; readonly provider: string; readonly publicKey: string; readonly nonce: string },
): Record<string, string> {
  const { sshPublicKey, extraAuthorizedKeys, hostId, hostName, provider, bootNonce } = BOOT_ENVIRONMENT;
  const { bootLeaseSeconds, idleTimeoutSeconds, maxHostAgeSeconds, userTags } = BOOT_ENVIRONMENT;
  return {
    [sshPublicKey]: identity.publicKey,
    ...(request.authorizedKeys.length > 0 && { [extraAuthorizedKeys]: request.authorizedKeys.join('\n') }),
    [hostId]: identity.hostId,
    [hostName]: request.name,
    [provider]: identity.provider,
    [bootNonce]: identity.nonce,
    [bootLeaseSeconds]: String(request.bootLeaseSeconds),
    [idleTimeoutSeconds]: String(request.idleTimeout),
    ...(request.maxAge !== undefined && { [maxHostAgeSeconds]: String(request.maxAge) }),
    ...(Object.keys(request.tags).length > 0 && { [userTags]: JSON.stringify(request.tags) }),
  };
}
