import { loadSharedConfigFiles } from '@smithy/core/config';
import { MngrFargateError } from '../contract/errors';
import { nearest } from '../util/nearest';

/** A profile of the AWS configuration, of both files together. */
export type Profile = Readonly<Record<string, string | undefined>>;

/** Prefixes of sections that are not profiles, as the SDK names them. */
const OTHER_SECTION = /^(?:sso-session|services)\./;

/** The profiles of ~/.aws/config and ~/.aws/credentials, or of the files that the environment names instead. */
export async function readProfiles(): Promise<ReadonlyMap<string, Profile>> {
  const { configFile, credentialsFile } = await loadSharedConfigFiles();
  const profiles = new Map<string, Profile>();
  for (const [name, section] of [...Object.entries(configFile), ...Object.entries(credentialsFile)]) {
    if (!OTHER_SECTION.test(name)) profiles.set(name, { ...profiles.get(name), ...section });
  }
  return profiles;
}

/**
 * The profile and those that it takes its credentials from, in that order. Throws `usage` when one of them is not there,
 * with the name that was probably meant.
 */
export function profileChain(name: string, profiles: ReadonlyMap<string, Profile>): readonly Profile[] {
  const chain: Profile[] = [];
  const seen = new Set<string>();
  let [next, namedBy]: [string | undefined, string] = [name, ''];
  while (next !== undefined && !seen.has(next)) {
    const profile = profiles.get(next);
    if (profile === undefined) throw noSuchProfile(next, namedBy, [...profiles.keys()]);
    seen.add(next);
    chain.push(profile);
    [next, namedBy] = [profile.source_profile, `, which profile ${next} names as its source_profile`];
  }
  return chain;
}

function noSuchProfile(name: string, namedBy: string, known: readonly string[]): MngrFargateError {
  const meant = nearest(name, known);
  const list = known.length === 0 ? 'it has no profiles' : `it has ${known.join(', ')}`;
  return new MngrFargateError('usage', `the AWS configuration has no profile "${name}"${namedBy}`, {
    hint: meant === undefined ? `${list}; \`aws configure list-profiles\` lists them` : `did you mean "${meant}"?`,
    details: { profile: name },
  });
}
