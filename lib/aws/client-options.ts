import type { AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { MfaCode } from './credentials';
import { ownCredentials, remembered } from './credentials';
import type { RequestHandler } from './request-handler';
import { sdkOptions } from './sdk-options';

export interface AwsPlace {
  /** Default: what the SDK finds (AWS_REGION, the profile's region). */
  readonly region?: string;
  /** Default: AWS_PROFILE, else `default`. */
  readonly profile?: string;
  /** Role to assume with the machine's own credentials. */
  readonly roleArn?: string;
}

/** Where the AWS APIs are and whose credentials are used, instead of what this machine's configuration says. */
export interface AwsSettings {
  readonly endpoint?: string;
  /** Credentials to start from; the role is assumed with them. Default: the profile's, or the SDK's chain (environment, container, instance). */
  readonly credentials?: AwsCredentialIdentityProvider;
  /** Asked for the code of an MFA device, for a profile with `mfa_serial`. Default: such a profile is refused with `denied`. */
  readonly mfaCode?: MfaCode;
}

/**
 * The options of an SDK client: credentials, proxy and certificates as this machine's AWS configuration and environment
 * say.
 */
export function awsClientOptions(place: AwsPlace, settings: AwsSettings = {}) {
  const { region, profile } = place;
  const credentials = settings.credentials ?? awsCredentials(place, settings);
  return { region, profile, endpoint: settings.endpoint, credentials, ...sdkOptions(undefined, profile) };
}

/** The credentials of a place. Clients that share them fetch them once. */
export function awsCredentials(place: AwsPlace, settings: AwsSettings = {}): AwsCredentialIdentityProvider {
  const { region, profile, roleArn } = place;
  const { requestHandler } = sdkOptions(undefined, profile);
  const own = settings.credentials ?? ownCredentials({ profile, region, requestHandler, mfaCode: settings.mfaCode });
  return roleArn === undefined
    ? own
    : roleCredentials(roleArn, own, { region, endpoint: settings.endpoint, requestHandler });
}

function roleCredentials(
  roleArn: string,
  masterCredentials: AwsCredentialIdentityProvider,
  clientConfig: { readonly region?: string; readonly endpoint?: string; readonly requestHandler: RequestHandler },
): AwsCredentialIdentityProvider {
  return remembered(async () => {
    const { fromTemporaryCredentials } = await import('./credential-providers.js');
    const params = { RoleArn: roleArn, RoleSessionName: 'mngr-fargate' };
    return fromTemporaryCredentials({ masterCredentials, params, clientConfig })();
  });
}
