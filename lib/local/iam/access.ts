import { evaluate } from './policy';
import type { AccessRequest, Decision } from './policy';
import type { Principal } from './principal';
import type { Role } from './roles';

/** What the principal's policies decide about a request. The administrator may do anything. */
export function decide(principal: Principal, request: AccessRequest, roles: ReadonlyMap<string, Role>): Decision {
  if (principal.kind === 'administrator') return 'allow';
  const complete: AccessRequest = {
    ...request,
    context: {
      'aws:PrincipalArn': principal.roleArn,
      'aws:PrincipalAccount': principal.accountId,
      'aws:userid': principal.userId,
      ...request.context,
    },
  };
  const identity = evaluate(roles.get(principal.roleArn)?.policies ?? [], complete);
  if (identity !== 'allow' || principal.sessionPolicies.length === 0) return identity;
  return evaluate(principal.sessionPolicies, complete);
}

/** AWS's sentence for a refused call. */
export function refusal(principal: Principal, request: AccessRequest, decision: Decision): string {
  const subject = `User: ${principal.arn} is not authorized to perform: ${request.action}`;
  const resource = request.namedResource ?? request.resource;
  const object = resource === '*' ? '' : ` on resource: ${resource}`;
  const reason =
    decision === 'explicit-deny'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${request.action} action`;
  return `${subject}${object} ${reason}`;
}
