import * as sdk from '@aws-sdk/client-iam';
import type { SimulatePrincipalPolicyRequest, SimulatePolicyResponse } from '@aws-sdk/client-iam';
import { AwsError } from '../../wire/aws-error';
import { awsQuery } from '../../wire/query';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import { missingMembersText } from '../missing-members';
import { pageOf } from '../paging';
import type { Call, Service } from '../service';
import { invalidInput, noSuchEntity, validationError } from './errors';
import { contextOf, parsePolicies, simulate } from './simulation';
import type { NamedPolicy } from './simulation';

/** IAM API, SimulatePrincipalPolicy.MaxItems. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

/** What the account's administrator may do. */
const EVERYTHING: NamedPolicy = {
  id: 'AdministratorAccess',
  document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
};

/** The policies of a role of the template, or of the administrator. Throws InvalidInput and NoSuchEntity. */
function policiesOf({ iam }: World, arn: string): readonly NamedPolicy[] {
  const { administrator } = iam.credentials;
  if (arn === administrator.principal.arn) return [EVERYTHING];
  const [, kind, name] = /^arn:aws:iam::\d{12}:(role|user|group)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  if (kind === undefined) {
    throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  }
  const role = iam.roles.get(arn);
  if (role === undefined) throw noSuchEntity(`The ${kind} with name ${name} cannot be found.`);
  return role.policies.map((document, index) => ({ id: `role_${role.name}_${index + 1}`, document }));
}

function validate({ ActionNames = [], MaxItems, ResourcePolicy }: SimulatePrincipalPolicyRequest): void {
  if (ActionNames.length === 0) throw invalidInput('ActionNames must have at least one action.');
  const wrong = ActionNames.find((action) => !/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/.test(action));
  if (wrong !== undefined) {
    throw invalidInput(`Invalid Action Name: "${wrong}" is not of the form service:action without wildcards.`);
  }
  if (MaxItems !== undefined && (!Number.isInteger(MaxItems) || MaxItems < 1 || MaxItems > MAX_PAGE)) {
    throw validationError(
      `1 validation error detected: Value '${MaxItems}' at 'maxItems' failed to satisfy constraint: ` +
        `Member must be between 1 and ${MAX_PAGE}`,
    );
  }
  if (ResourcePolicy !== undefined) {
    throw invalidInput('The local endpoint does not support resource policies: leave ResourcePolicy out.');
  }
}

const simulatePrincipalPolicy =
  (world: World) =>
  (request: SimulatePrincipalPolicyRequest, call: Call): SimulatePolicyResponse => {
    const { PolicySourceArn: arn = '', ActionNames = [], MaxItems = DEFAULT_PAGE, Marker } = request;
    call.authorize({ action: 'iam:SimulatePrincipalPolicy', resource: arn, context: {} });
    validate(request);
    const policies = [...policiesOf(world, arn), ...parsePolicies(request.PolicyInputList, 'PolicyInputList')];
    const boundaries = parsePolicies(request.PermissionsBoundaryPolicyInputList, 'PermissionsBoundaryPolicyInputList');
    const context = contextOf(request, arn);
    const { ResourceArns = [] } = request;
    const resources = ResourceArns.length === 0 ? ['*'] : ResourceArns;
    const questions = ActionNames.flatMap((action) => resources.map((resource) => ({ action, resource, context })));
    const { Marker: _, MaxItems: __, ...question } = request;
    const page = pageOf(questions, MaxItems, Marker, JSON.stringify(question), () =>
      invalidInput('The Marker is not one of this simulation.'),
    );
    return {
      EvaluationResults: page.items.map((each) => simulate(policies, boundaries, each)),
      IsTruncated: page.nextToken !== undefined,
      Marker: page.nextToken,
    };
  };

/** AWS Identity and Access Management, as far as the simulation of the template's policies goes. */
export const iamService = (world: World): Service => ({
  signingName: 'iam',
  protocol: awsQuery({ version: '2010-05-08', xmlNamespace: 'https://iam.amazonaws.com/doc/2010-05-08/' }),
  operations: operationsOf(sdk),
  errors: {
    missingMembers: (paths) => validationError(missingMembersText(paths)),
    accessDenied: (message) => new AwsError('AccessDenied', message, { status: 403 }),
    throttled: () => new AwsError('Throttling', 'Rate exceeded', { status: 400 }),
  },
  handlers: { SimulatePrincipalPolicy: simulatePrincipalPolicy(world) },
});
