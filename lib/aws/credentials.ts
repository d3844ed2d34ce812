import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types';
import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import type { Profile } from './profiles';
import { profileChain, readProfiles } from './profiles';
import type { RequestHandler } from './request-handler';
import { oneLine } from '../util/one-line';

/**
 * Gives the current code of an MFA device, whose serial number or ARN it is told, and the code that AWS has just refused, if
 * any. It is asked again for another code; one that gives the same code isn't.
 */
export type MfaCode = (device: string, refused?: string) => Promise<string>;

export interface CredentialsRequest {
  /** Default: AWS_PROFILE, else `default`. */
  readonly profile?: string;
  readonly region?: string;
  readonly requestHandler: RequestHandler;
  /** Default: a profile that needs a code is refused. */
  readonly mfaCode?: MfaCode;
}

/** Keys of a profile that say where its credentials come from. */
const SOURCES = [
  'aws_access_key_id',
  'credential_process',
  'login_session',
  'role_arn',
  'sso_account_id',
  'sso_session',
  'sso_start_url',
];
/** Milliseconds before their end at which credentials are fetched anew. */
const RENEW_BEFORE_MS = 300_000;
/** How many codes of an MFA device are tried. */
const MFA_CODES = 3;

/**
 * The credentials that this machine has for AWS: those of the profile, with nothing else tried when they fail, and
 * without one the SDK's chain (environment, web identity, container, instance). Whoever gives codes of MFA devices is
 * asked once for all clients of a profile. Errors are ours: `usage` for a profile that isn't there, `denied` otherwise.
 */
export function ownCredentials(request: CredentialsRequest): AwsCredentialIdentityProvider {
  const fetch = (): Promise<AwsCredentialIdentity> => resolve(request);
  if (request.mfaCode === undefined) return remembered(fetch);
  const profile = request.profile ?? process.env.AWS_PROFILE ?? '';
  const known = asked.get(request.mfaCode) ?? new Map<string, AwsCredentialIdentityProvider>();
  asked.set(request.mfaCode, known);
  const provider = known.get(profile) ?? remembered(fetch);
  known.set(profile, provider);
  return provider;
}

/** What somebody has been asked a code for, by profile. */
const asked = new WeakMap<MfaCode, Map<string, AwsCredentialIdentityProvider>>();

/** A provider that answers from memory until shortly before the credentials end. A failure is not remembered. */
export function remembered(fetch: () => Promise<AwsCredentialIdentity>): AwsCredentialIdentityProvider {
  let current: Promise<AwsCredentialIdentity> | undefined;
  let renewAtMs = Number.POSITIVE_INFINITY;
  return () => {
    if (current !== undefined && Date.now() < renewAtMs) return current;
    renewAtMs = Number.POSITIVE_INFINITY;
    const fetching = fetch().then(
      (credentials) => {
        if (credentials.expiration !== undefined) renewAtMs = credentials.expiration.getTime() - RENEW_BEFORE_MS;
        return credentials;
      },
      (error: unknown) => {
        if (current === fetching) current = undefined;
        throw error;
      },
    );
    current = fetching;
    return fetching;
  };
}

async function resolve(request: CredentialsRequest): Promise<AwsCredentialIdentity> {
  const { region, requestHandler } = request;
  const { fromIni, fromNodeProviderChain } = await import('./credential-providers.js');
  const explicit = namedProfile(request.profile);
  const name = explicit ?? 'default';
  const clients = { clientConfig: { region, requestHandler }, parentClientConfig: { region, requestHandler } };
  if (explicit === undefined && hasKeys()) return fromNodeProviderChain(clients)();

  const profiles = await readProfiles();
  const section = profiles.get(name);
  if (explicit === undefined && (section === undefined || !SOURCES.some((source) => section[source] !== undefined))) {
    return fromNodeProviderChain(clients)().catch((error: unknown) => {
      throw noCredentials(error);
    });
  }
  const chain = profileChain(name, profiles);
  const ask = request.mfaCode ?? refuseMfa(name);
  let refused: string | undefined;
  for (let tried = 1; ; tried++) {
    let code: string | undefined;
    const mfaCodeProvider = async (device: string): Promise<string> => (code = await ask(device, refused));
    try {
      return await fromIni({ profile: name, mfaCodeProvider, ...clients })();
    } catch (error) {
      const isWrong = code !== undefined && isRefusedCode(error);
      if (!isWrong || code === refused || tried === MFA_CODES) throw profileProblem(name, chain, error);
      refused = code;
    }
  }
}

/** STS answers a missing right with the same name, and only this text tells them apart. */
const isRefusedCode = (error: unknown): boolean =>
  error instanceof Error &&
  ((error.name === 'AccessDenied' && /^MultiFactorAuthentication failed\b/.test(error.message)) ||
    isRefusedCode(error.cause));

const noCredentials = (cause: unknown): MngrFargateError =>
  new MngrFargateError('denied', 'this machine has no AWS credentials', {
    cause,
    hint: 'log in (`aws sso login`, `aws configure`), or set `aws_profile` or AWS_PROFILE; `aws sts get-caller-identity` must work',
  });

const refuseMfa =
  (profile: string): MfaCode =>
  (device) =>
    Promise.reject(
      new MngrFargateError('denied', `AWS profile ${profile} needs the code of the MFA device ${device}`, {
        hint: 'run this in a terminal, which asks for the code, or put credentials of a session into the environment first, for example with `aws configure export-credentials --format env`',
      }),
    );

/** Why a profile gave no credentials. */
function profileProblem(name: string, chain: readonly Profile[], error: unknown): MngrFargateError {
  if (isMngrFargateError(error)) return error;
  if (isRefusedCode(error)) {
    return new MngrFargateError('denied', `AWS refuses the code of the MFA device for profile ${name}`, {
      cause: error,
      hint: 'each code is accepted once: wait for the next one, and check that it is of the device that mfa_serial names',
      details: { profile: name },
    });
  }
  const { message } = error as Error;
  const command = chain.find(({ credential_process: process }) => process !== undefined)?.credential_process;
  if (command !== undefined && /^Command failed|credential_process/.test(message))
    return processProblem(name, command, error as Error);
  const hint = chain.some(
    ({ sso_account_id, sso_session }) => sso_account_id !== undefined || sso_session !== undefined,
  )
    ? `log in with \`aws sso login --profile ${name}\``
    : `\`aws sts get-caller-identity --profile ${name}\` must work`;
  return new MngrFargateError('denied', `AWS profile ${name} has no usable credentials: ${oneLine(message)}`, {
    cause: error,
    hint,
    details: { profile: name },
  });
}

/** The program's own last words. The command's arguments stay out: they may hold secrets, as may what it wrote to stdout. */
function processProblem(
  name: string,
  command: string,
  error: Error & { stderr?: string; code?: unknown },
): MngrFargateError {
  const program = command.trim().split(/\s+/)[0] ?? command;
  const [first = '', ...said] = error.message.split('\n').map((line) => line.trim());
  const last = said.filter((line) => line !== '').at(-1);
  const reason = last ?? (first.startsWith('Command failed') ? 'it ended with an error and said nothing' : first);
  return new MngrFargateError(
    'denied',
    `credential_process of AWS profile ${name} (${program}) failed: ${oneLine(reason)}`,
    {
      hint: `run the command of profile ${name} yourself and correct it until it prints credentials`,
      details: { profile: name },
    },
  );
}

/** Whether the profile, or one that it takes its credentials from, needs the code of an MFA device. */
export async function needsMfaCode(profile: string | undefined): Promise<boolean> {
  const explicit = namedProfile(profile);
  if (explicit === undefined && hasKeys()) return false;
  const name = explicit ?? 'default';
  const profiles = await readProfiles();
  if (explicit === undefined && !profiles.has(name)) return false;
  return profileChain(name, profiles).some(({ mfa_serial: device }) => device !== undefined);
}

/** The profile that somebody asked for. */
const namedProfile = (profile: string | undefined): string | undefined =>
  profile ?? (process.env.AWS_PROFILE || undefined);

/** Whether the environment holds keys, which the SDK uses unless a profile was asked for. */
const hasKeys = (): boolean => Boolean(process.env.AWS_ACCESS_KEY_ID && process.env.AWS_SECRET_ACCESS_KEY);
