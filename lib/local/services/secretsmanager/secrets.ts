import { randomInt } from 'node:crypto';
import type { Collection } from '../../state/store';
import { resourcesOfType } from '../../template/stack';
import type { StackResource } from '../../template/stack';
import type { World } from '../../world';

type Properties = Readonly<Record<string, unknown>>;

/** Secrets Manager API, GetRandomPassword. */
const DEFAULT_LENGTH = 32;
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** Templates may write booleans as strings. */
const isSet = (value: unknown): boolean => value === true || value === 'true';

const pick = (characters: string): string => characters.charAt(randomInt(characters.length));

/** The text that Secrets Manager makes for a `GenerateSecretString`. */
function generatedText(options: Properties): string {
  const excluded = new Set(String(options.ExcludeCharacters ?? ''));
  const kinds = [
    isSet(options.ExcludeLowercase) ? '' : LOWER,
    isSet(options.ExcludeUppercase) ? '' : LOWER.toUpperCase(),
    isSet(options.ExcludeNumbers) ? '' : DIGITS,
    isSet(options.ExcludePunctuation) ? '' : PUNCTUATION,
    isSet(options.IncludeSpace) ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((character) => !excluded.has(character)).join(''))
    .filter((kind) => kind !== '');
  if (kinds.length === 0) throw new Error('a secret of the template excludes every character');
  const length = Number(options.PasswordLength ?? DEFAULT_LENGTH);
  const each = options.RequireEachIncludedType === undefined || isSet(options.RequireEachIncludedType);
  const required = each ? kinds.map(pick) : [];
  const password = Array.from({ length }, (_, index) => required[index] ?? pick(kinds.join('')));
  // Otherwise the first characters would say of which kind they are.
  for (let last = password.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [password[last], password[other]] = [password[other] as string, password[last] as string];
  }
  const key = options.GenerateStringKey;
  if (key === undefined) return password.join('');
  const rest = JSON.parse(String(options.SecretStringTemplate ?? '{}')) as Properties;
  return JSON.stringify({ ...rest, [String(key)]: password.join('') });
}

/** The secrets of the template. What Secrets Manager makes up is made at first use, and kept over restarts. */
export class Secrets {
  constructor(
    private readonly resources: ReadonlyMap<string, StackResource>,
    private readonly generated: Collection<string>,
  ) {}

  /** True if the template has a secret with this ARN. */
  has(arn: string): boolean {
    return this.resources.has(arn);
  }

  /** The secret's text; undefined if it has none. */
  textOf(arn: string): string | undefined {
    const { SecretString: given, GenerateSecretString: options } = this.resources.get(arn)?.properties ?? {};
    if (typeof given === 'string') return given;
    if (typeof options !== 'object' || options === null) return undefined;
    const text = this.generated.get(arn) ?? generatedText(options as Properties);
    this.generated.set(arn, text);
    return text;
  }
}

export const secrets = ({ stack, store }: World): Secrets =>
  new Secrets(
    new Map(
      resourcesOfType(stack, 'AWS::SecretsManager::Secret').map((resource) => [resource.physicalId, resource] as const),
    ),
    store.collection<string>('secrets'),
  );
