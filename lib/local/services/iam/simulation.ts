import type {
  EvaluationResult,
  PolicyEvaluationDecisionType,
  SimulatePrincipalPolicyRequest,
  Statement,
} from '@aws-sdk/client-iam';
import { evaluate, statementApplies, statementsOf, UnsupportedConditionError } from '../../iam/policy';
import type { AccessRequest, Decision, PolicyDocument, RequestContext } from '../../iam/policy';
import { invalidInput, policyEvaluationFailed } from './errors';

/** A policy and the name that a simulation gives it. */
export interface NamedPolicy {
  readonly id: string;
  readonly document: PolicyDocument;
}

const DECISIONS: Readonly<Record<Decision, PolicyEvaluationDecisionType>> = {
  allow: 'allowed',
  'implicit-deny': 'implicitDeny',
  'explicit-deny': 'explicitDeny',
};

/** What IAM answers with, although its model has no such value. */
const SOURCE_TYPE = 'IAM Policy' as string as Statement['SourcePolicyType'];

/** Policies given as JSON in a request. Throws InvalidInput. */
export function parsePolicies(texts: readonly string[] | undefined, list: string): NamedPolicy[] {
  return (texts ?? []).map((text, index) => {
    const id = `${list}.${index + 1}`;
    try {
      const document = JSON.parse(text) as PolicyDocument;
      if (typeof document === 'object' && document !== null && 'Statement' in document) return { id, document };
    } catch {
      // Shown below.
    }
    throw invalidInput(`The policy ${id} is not a policy document in JSON.`);
  });
}

const withoutConditions = (policy: NamedPolicy, request: AccessRequest) =>
  statementsOf(policy.document).filter((statement) =>
    statementApplies({ ...statement, Condition: undefined }, request),
  );

/** Condition keys that could be decisive and that the simulation wasn't given. */
function missingKeys(policies: readonly NamedPolicy[], request: AccessRequest): string[] {
  const known = new Set(Object.keys(request.context).map((key) => key.toLowerCase()));
  const wanted = policies
    .flatMap((policy) => withoutConditions(policy, request))
    .flatMap(({ Condition }) => Object.values(Condition ?? {}).flatMap((keys) => Object.keys(keys)));
  return [...new Set(wanted)].filter((key) => !known.has(key.toLowerCase()));
}

/** Statements that decided: the denying ones where there are any, else those that allow. */
function matchedStatements(policies: readonly NamedPolicy[], request: AccessRequest): Statement[] {
  const applying = policies.flatMap(({ id, document }) =>
    statementsOf(document)
      .filter((statement) => statementApplies(statement, request))
      .map(({ Effect }) => ({ id, Effect })),
  );
  const denying = applying.filter(({ Effect }) => Effect === 'Deny');
  return (denying.length > 0 ? denying : applying).map(({ id }) => ({
    SourcePolicyId: id,
    SourcePolicyType: SOURCE_TYPE,
  }));
}

/** What the policies decide about one action on one resource. Throws PolicyEvaluation for what can't be evaluated. */
export function simulate(
  policies: readonly NamedPolicy[],
  boundaries: readonly NamedPolicy[],
  request: AccessRequest,
): EvaluationResult {
  try {
    const identity = evaluate(
      policies.map(({ document }) => document),
      request,
    );
    const boundary = evaluate(
      boundaries.map(({ document }) => document),
      request,
    );
    const bounded = boundaries.length > 0;
    const decision = identity === 'allow' && bounded ? boundary : identity;
    return {
      EvalActionName: request.action,
      EvalResourceName: request.resource,
      EvalDecision: DECISIONS[decision],
      MatchedStatements: matchedStatements(policies, request),
      MissingContextValues: missingKeys([...policies, ...boundaries], request),
      PermissionsBoundaryDecisionDetail: bounded ? { AllowedByPermissionsBoundary: boundary === 'allow' } : undefined,
    };
  } catch (error) {
    if (error instanceof UnsupportedConditionError) throw policyEvaluationFailed(error.message);
    throw error;
  }
}

/** The condition keys that a request is given, with the principal's own. */
export function contextOf(
  { ContextEntries = [] }: SimulatePrincipalPolicyRequest,
  principalArn: string,
): RequestContext {
  const given = ContextEntries.map(
    ({ ContextKeyName = '', ContextKeyValues = [] }) => [ContextKeyName, ContextKeyValues] as const,
  );
  return { 'aws:PrincipalArn': principalArn, ...Object.fromEntries(given) };
}
