import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { loadConfig } from '@smithy/core/config';
import { MngrFargateError } from '../contract/errors';

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
const VARIABLE = 'AWS_CA_BUNDLE';

/**
 * The certificates that AWS's servers are checked against in place of Node's own: the file of AWS_CA_BUNDLE, else of the
 * profile's `ca_bundle`, as with the AWS CLI. Undefined without either. Throws `usage` for a file without certificates.
 */
export async function caBundle(
  profile: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const named = environment[VARIABLE] || (await fromProfile(profile));
  if (!named) return undefined;
  const source = environment[VARIABLE] ? VARIABLE : 'ca_bundle of the AWS profile';
  const file = named.replace(/^~(?=\/)/, homedir());
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MngrFargateError('usage', `cannot read ${file} (${source}): ${error.code ?? error.message}`, {
      cause: error,
      hint: 'set it to a file with CA certificates in PEM format',
    });
  });
  if (CERTIFICATE.test(text)) return text;
  throw new MngrFargateError('usage', `${file} (${source}) holds no certificate in PEM format`, {
    hint: 'set it to a file with CA certificates in PEM format',
  });
}

/** Undefined where there is no such profile, which the credentials tell. */
const fromProfile = (profile: string | undefined): Promise<string | undefined> =>
  loadConfig<string | undefined>(
    {
      environmentVariableSelector: () => undefined,
      configFileSelector: (section) => section.ca_bundle,
      default: undefined,
    },
    profile === undefined ? {} : { profile },
  )().catch(() => undefined);
