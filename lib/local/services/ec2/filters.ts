import type { Filter } from '@aws-sdk/client-ec2';
import { wildcardMatches } from '../../iam/policy';
import { AwsError } from '../../wire/aws-error';
import type { Ec2Tag } from './network';

/** Values of a described thing by filter name; `tag:…` and `tag-key` are always there. */
export type Filterable = Readonly<Record<string, string | readonly string[] | undefined>>;

const valuesOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** True when the thing passes every filter; a filter's values are alternatives and may have wildcards. Throws for unknown filters. */
export function passes(filters: readonly Filter[], thing: Filterable, tags: readonly Ec2Tag[]): boolean {
  return filters.every(({ Name = '', Values = [] }) => {
    const actual = Name.startsWith('tag:')
      ? tags.filter(({ Key }) => Key === Name.slice('tag:'.length)).map(({ Value }) => Value)
      : Name === 'tag-key'
        ? tags.map(({ Key }) => Key)
        : valuesOf(thing[Name]);
    return Values.some((wanted) => actual.some((value) => wildcardMatches(wanted, value)));
  });
}

/** Throws InvalidParameterValue for a filter that the things don't have. */
export function checkFilters(filters: readonly Filter[], known: readonly string[]): void {
  for (const { Name = '' } of filters) {
    if (known.includes(Name) || Name === 'tag-key' || Name.startsWith('tag:')) continue;
    throw new AwsError('InvalidParameterValue', `The filter '${Name}' is invalid`);
  }
}
