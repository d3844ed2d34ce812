/** An IAM policy document as templates hold it; a lone value stands for a list of one. */
export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>>;
}

export type ConditionValue = string | number | boolean;

/** Condition keys of a request, in any letter case; a list makes the key multivalued. */
export type RequestContext = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface AccessRequest {
  /** For example `ecs:RunTask`. */
  readonly action: string;
  /** ARN, or `*` for actions without resource types. */
  readonly resource: string;
  readonly context: RequestContext;
  /** The resource as the caller named it, if a refusal with its full name would reveal what exists. */
  readonly namedResource?: string;
}

export type Decision = 'allow' | 'implicit-deny' | 'explicit-deny';

const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];

/** One element of a wildcard pattern: a character to match, any one, or any text. */
type PatternPart = { readonly character: string } | 'one' | 'any';

/** `*` any text, `?` any one character; `${*}`, `${?}` and `${$}` stand for themselves. */
const partsOf = (pattern: string): PatternPart[] =>
  [...pattern.matchAll(/\$\{([*?$])\}|[\s\S]/gu)].map(([found, literal]) =>
    literal !== undefined
      ? { character: literal }
      : found === '*'
        ? 'any'
        : found === '?'
          ? 'one'
          : { character: found },
  );

/**
 * IAM's wildcards. Patterns come from callers as well (session policies, EC2's filters), so this takes no longer than
 * the product of the two lengths, which a regular expression with many `*` would not.
 */
export function wildcardMatches(
  pattern: string,
  text: string,
  options: { readonly ignoreCase?: boolean } = {},
): boolean {
  const fold = (value: string): string => (options.ignoreCase === true ? value.toLowerCase() : value);
  const parts = partsOf(fold(pattern));
  const characters = [...fold(text)];
  let part = 0;
  let position = 0;
  /** The position of the last `*`, and the end of the text that it has matched. */
  let star = -1;
  let taken = 0;
  while (position < characters.length) {
    const wanted = parts[part];
    if (wanted === 'any') {
      star = part;
      taken = position;
      part += 1;
    } else if (wanted === 'one' || (wanted !== undefined && wanted.character === characters[position])) {
      part += 1;
      position += 1;
    } else if (star >= 0) {
      part = star + 1;
      taken += 1;
      position = taken;
    } else return false;
  }
  return parts.slice(part).every((rest) => rest === 'any');
}

const ARN_PARTS = 6;

/** ARNs match part by part, so that a wildcard never crosses a colon of the first five parts. */
export function arnMatches(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const split = (text: string): string[] => {
    const parts = text.split(':');
    return [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(':')];
  };
  const patterns = split(pattern);
  const parts = split(arn);
  return (
    patterns.length === parts.length && patterns.every((part, index) => wildcardMatches(part, parts[index] as string))
  );
}

/** Replaces policy variables such as `${aws:username}` by the request's value; unknown ones match nothing. */
function substitute(text: string, context: ReadonlyMap<string, readonly string[]>): string | undefined {
  let known = true;
  const result = text.replace(/\$\{([^*?$}][^}]*)\}/g, (_, name: string) => {
    const [key = '', fallback] = name.split(',').map((part) => part.trim());
    const value = context.get(key.toLowerCase())?.[0] ?? fallback?.replace(/^'|'$/g, '');
    if (value === undefined) known = false;
    return value ?? '';
  });
  return known ? result : undefined;
}

type Compare = (wanted: string, actual: string) => boolean;

const number =
  (test: (actual: number, wanted: number) => boolean): Compare =>
  (wanted, actual) =>
    test(Number(actual), Number(wanted));
const date =
  (test: (actual: number, wanted: number) => boolean): Compare =>
  (wanted, actual) =>
    test(Date.parse(actual), Date.parse(wanted));

interface Operator {
  readonly compare: Compare;
  /** True for the `Not…` operators: no wanted value may match. */
  readonly negated: boolean;
}

const POSITIVE: Readonly<Record<string, Compare>> = {
  StringEquals: (wanted, actual) => wanted === actual,
  StringEqualsIgnoreCase: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
  StringLike: (wanted, actual) => wildcardMatches(wanted, actual),
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
  Bool: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
  NumericEquals: number((a, b) => a === b),
  NumericLessThan: number((a, b) => a < b),
  NumericLessThanEquals: number((a, b) => a <= b),
  NumericGreaterThan: number((a, b) => a > b),
  NumericGreaterThanEquals: number((a, b) => a >= b),
  DateEquals: date((a, b) => a === b),
  DateLessThan: date((a, b) => a < b),
  DateLessThanEquals: date((a, b) => a <= b),
  DateGreaterThan: date((a, b) => a > b),
  DateGreaterThanEquals: date((a, b) => a >= b),
};

const NEGATIVE: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
};

function operatorOf(name: string): Operator {
  const positive = NEGATIVE[name] ?? name;
  const compare = POSITIVE[positive];
  if (compare === undefined) throw new UnsupportedConditionError(name);
  return { compare, negated: positive !== name };
}

/** A policy uses a condition operator that this evaluator doesn't have. */
export class UnsupportedConditionError extends Error {
  override readonly name = 'UnsupportedConditionError';
  constructor(operator: string) {
    super(`the condition operator ${operator} is not supported by the local endpoint`);
  }
}

function conditionHolds(
  name: string,
  wanted: readonly string[],
  actual: readonly string[] | undefined,
  context: ReadonlyMap<string, readonly string[]>,
): boolean {
  const [, quantifier, base = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(name) ?? [];
  if (base === 'Null')
    return wanted.some((value) => (value === 'true') === (actual === undefined || actual.length === 0));
  const { compare, negated } = operatorOf(base);
  const patterns = wanted.map((value) => substitute(value, context)).filter((value) => value !== undefined);
  const matchesOne = (value: string): boolean => patterns.some((pattern) => compare(pattern, value)) !== negated;
  if (actual === undefined || actual.length === 0) {
    if (quantifier === 'ForAllValues' || ifExists !== undefined) return true;
    return quantifier === undefined && negated;
  }
  if (quantifier === 'ForAllValues') return actual.every(matchesOne);
  if (quantifier === 'ForAnyValue') return actual.some(matchesOne);
  // Without a quantifier, a multivalued key matches if any of its values does; negated, if none does.
  return negated ? actual.every(matchesOne) : actual.some(matchesOne);
}

const contextMap = (context: RequestContext): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(context)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key.toLowerCase(), listOf<string>(value)]),
  );

const actionMatches = (patterns: readonly string[], action: string): boolean =>
  patterns.some((pattern) => wildcardMatches(pattern, action, { ignoreCase: true }));

function resourceMatches(
  patterns: readonly string[],
  resource: string,
  context: ReadonlyMap<string, readonly string[]>,
): boolean {
  return patterns.some((pattern) => {
    const text = substitute(pattern, context);
    return text !== undefined && arnMatches(text, resource);
  });
}

/** True when the statement's action, resource and conditions all apply to the request; its principal is not checked. */
export function statementApplies(statement: PolicyStatement, request: AccessRequest): boolean {
  const context = contextMap(request.context);
  const actionHolds =
    statement.NotAction === undefined
      ? actionMatches(listOf(statement.Action), request.action)
      : !actionMatches(listOf(statement.NotAction), request.action);
  if (!actionHolds) return false;
  const resourceHolds =
    statement.NotResource === undefined
      ? resourceMatches(listOf(statement.Resource), request.resource, context)
      : !resourceMatches(listOf(statement.NotResource), request.resource, context);
  return resourceHolds && conditionsHold(statement, request);
}

/** True if every condition of the statement is met by the request. */
export function conditionsHold(statement: PolicyStatement, request: Pick<AccessRequest, 'context'>): boolean {
  const context = contextMap(request.context);
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      conditionHolds(operator, listOf<ConditionValue>(values).map(String), context.get(key.toLowerCase()), context),
    ),
  );
}

export const statementsOf = (document: PolicyDocument): readonly PolicyStatement[] => listOf(document.Statement);

/**
 * What identity-based policies together decide about a request: an explicit deny takes precedence, and the default is
 * to deny.
 */
export function evaluate(documents: readonly PolicyDocument[], request: AccessRequest): Decision {
  const applying = documents.flatMap(statementsOf).filter((statement) => statementApplies(statement, request));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'explicit-deny';
  return applying.some(({ Effect }) => Effect === 'Allow') ? 'allow' : 'implicit-deny';
}
