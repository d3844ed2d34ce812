import * as sdk from '@aws-sdk/client-sts';
import type { AssumeRoleRequest, AssumeRoleResponse, GetCallerIdentityResponse } from '@aws-sdk/client-sts';
import { conditionsHold, statementsOf } from '../../iam/policy';
import type { PolicyDocument, PolicyStatement, RequestContext } from '../../iam/policy';
import type { Principal } from '../../iam/principal';
import type { Role } from '../../iam/roles';
import { AwsError } from '../../wire/aws-error';
import { awsQuery } from '../../wire/query';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import { missingMembersText } from '../missing-members';
import type { Call, Service } from '../service';

/** STS API, AssumeRole. Seconds. */
const MIN_DURATION = 900;
const DEFAULT_DURATION = 3600;
/** A role assumed by a role's session lasts an hour at most. Seconds. */
const MAX_CHAINED_DURATION = 3600;

const accessDenied = (message: string): AwsError => new AwsError('AccessDenied', message, { status: 403 });
const validationError = (message: string): AwsError => new AwsError('ValidationError', message);

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** How a trust policy's statement names the caller: exactly, by its account, or not at all. */
function trusts({ Principal: trusted }: PolicyStatement, caller: Principal): 'caller' | 'account' | undefined {
  if (trusted === '*') return 'caller';
  const names = listOf(trusted?.AWS);
  const own = caller.kind === 'session' ? [caller.arn, caller.roleArn] : [caller.arn];
  if (names.some((name) => name === '*' || own.includes(name))) return 'caller';
  const account = [caller.accountId, `arn:aws:iam::${caller.accountId}:root`];
  return names.some((name) => account.includes(name)) ? 'account' : undefined;
}

/**
 * A role may be assumed when its trust policy names the caller, or the caller's account and the caller's own policies
 * allow it (IAM user guide, "Policy evaluation logic": same-account resource-based policies).
 */
function authorizeAssume(role: Role, request: AssumeRoleRequest, call: Call): void {
  const context: RequestContext = {
    'sts:ExternalId': request.ExternalId,
    'sts:RoleSessionName': request.RoleSessionName,
    'aws:PrincipalArn': call.principal.kind === 'session' ? call.principal.roleArn : call.principal.arn,
    'aws:PrincipalAccount': call.principal.accountId,
  };
  const statements = statementsOf(role.trust).filter(
    (statement) => listOf(statement.Action).includes('sts:AssumeRole') && conditionsHold(statement, { context }),
  );
  const allowed = statements
    .filter(({ Effect }) => Effect === 'Allow')
    .map((statement) => trusts(statement, call.principal));
  const denied = statements.some(
    (statement) => statement.Effect === 'Deny' && trusts(statement, call.principal) !== undefined,
  );
  const own = { action: 'sts:AssumeRole', resource: role.arn, context };
  const passes = !denied && (allowed.includes('caller') || (allowed.includes('account') && call.allows(own)));
  if (passes) return;
  throw accessDenied(
    `User: ${call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${role.arn}`,
  );
}

function durationOf(role: Role, { DurationSeconds = DEFAULT_DURATION }: AssumeRoleRequest, caller: Principal): number {
  if (DurationSeconds < MIN_DURATION) {
    throw validationError(
      `1 validation error detected: Value '${DurationSeconds}' at 'durationSeconds' failed to satisfy constraint: ` +
        `Member must have value greater than or equal to ${MIN_DURATION}`,
    );
  }
  if (caller.kind === 'session' && DurationSeconds > MAX_CHAINED_DURATION) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  if (DurationSeconds > role.maxSessionSeconds) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return DurationSeconds;
}

function sessionPolicies({ Policy, PolicyArns }: AssumeRoleRequest): PolicyDocument[] {
  if ((PolicyArns ?? []).length > 0) {
    throw new AwsError(
      'ValidationError',
      'the local endpoint does not support session policies by ARN: give them as Policy',
    );
  }
  if (Policy === undefined) return [];
  try {
    return [JSON.parse(Policy) as PolicyDocument];
  } catch {
    throw new AwsError('MalformedPolicyDocument', 'This policy contains invalid Json');
  }
}

const assumeRole =
  ({ iam }: World) =>
  (request: AssumeRoleRequest, call: Call): AssumeRoleResponse => {
    const sessionName = request.RoleSessionName ?? '';
    if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
      throw validationError(
        `1 validation error detected: Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint: ` +
          'Member must satisfy regular expression pattern: [\\w+=,.@-]* and have length 2 to 64',
      );
    }
    const roleArn = request.RoleArn ?? '';
    const role = iam.roles.get(roleArn);
    // Like AWS, doesn't reveal whether a role exists.
    if (role === undefined) {
      throw accessDenied(
        `User: ${call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      );
    }
    authorizeAssume(role, request, call);
    const credential = iam.credentials.assume({
      roleArn,
      roleId: role.id,
      roleName: role.name,
      sessionName,
      durationSeconds: durationOf(role, request, call.principal),
      sessionPolicies: sessionPolicies(request),
    });
    return {
      Credentials: {
        AccessKeyId: credential.accessKeyId,
        SecretAccessKey: credential.secretAccessKey,
        SessionToken: credential.sessionToken,
        Expiration: credential.principal.expiresAt,
      },
      AssumedRoleUser: { AssumedRoleId: credential.principal.userId, Arn: credential.principal.arn },
      PackedPolicySize: request.Policy === undefined ? undefined : 1,
    };
  };

/** AWS Security Token Service: the caller's identity, and sessions of the template's roles. */
export const stsService = (world: World): Service => ({
  signingName: 'sts',
  protocol: awsQuery({ version: '2011-06-15', xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/' }),
  operations: operationsOf(sdk),
  errors: {
    missingMembers: (paths) => validationError(missingMembersText(paths)),
    accessDenied,
    throttled: () => new AwsError('Throttling', 'Rate exceeded'),
  },
  handlers: {
    // Needs no permission: an explicit deny wouldn't help either (STS API, GetCallerIdentity).
    GetCallerIdentity: (_: object, { principal }: Call): GetCallerIdentityResponse => ({
      UserId: principal.userId,
      Account: principal.accountId,
      Arn: principal.arn,
    }),
    AssumeRole: assumeRole(world),
  },
});
