import type { Filter } from '@aws-sdk/client-ec2';
import { pageOf } from '../paging';
import { AwsError } from '../../wire/aws-error';
import { checkFilters, passes } from './filters';
import type { Filterable } from './filters';
import type { Ec2Tag } from './network';

/** Page sizes that EC2's Describe calls take. */
const MIN_PAGE = 5;
const MAX_PAGE = 1000;

export interface DescribeInput {
  readonly Filters?: Filter[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

export interface DescribeKind<T> {
  /** For example `networkInterface`. */
  readonly kind: string;
  /** Error code and text for an id that isn't there. */
  readonly notFound: (id: string) => AwsError;
  readonly idOf: (thing: T) => string;
  readonly tagsOf: (thing: T) => readonly Ec2Tag[];
  readonly filterNames: readonly string[];
  readonly filterValues: (thing: T) => Filterable;
}

/** What all of EC2's Describe calls do: by ids, by filters, by pages. */
export function describe<T>(
  all: readonly T[],
  ids: readonly string[],
  { Filters = [], MaxResults, NextToken }: DescribeInput,
  kind: DescribeKind<T>,
): { readonly items: readonly T[]; readonly nextToken?: string } {
  if (ids.length > 0 && MaxResults !== undefined) {
    throw new AwsError(
      'InvalidParameterCombination',
      `The parameter ${kind.kind}Ids cannot be used with the parameter maxResults`,
    );
  }
  if (MaxResults !== undefined && (MaxResults < MIN_PAGE || MaxResults > MAX_PAGE)) {
    throw new AwsError(
      'InvalidParameterValue',
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value between ${MIN_PAGE} and ${MAX_PAGE}.`,
    );
  }
  checkFilters(Filters, kind.filterNames);
  const byId = new Map(all.map((thing) => [kind.idOf(thing), thing]));
  const named = [...new Set(ids)].map((id) => {
    const thing = byId.get(id);
    if (thing === undefined) throw kind.notFound(id);
    return thing;
  });
  const found = (ids.length === 0 ? all : named).filter((thing) =>
    passes(Filters, kind.filterValues(thing), kind.tagsOf(thing)),
  );
  const query = JSON.stringify([kind.kind, ids, Filters]);
  return pageOf(
    found,
    MaxResults ?? MAX_PAGE,
    NextToken,
    query,
    () => new AwsError('InvalidNextToken', 'The specified token is not valid'),
  );
}
