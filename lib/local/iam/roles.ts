import { resourcesOfType } from '../template/stack';
import type { Stack, StackResource } from '../template/stack';
import type { PolicyDocument } from './policy';

/** A role of the template with everything that its sessions are allowed to do. */
export interface Role {
  readonly arn: string;
  readonly id: string;
  readonly name: string;
  readonly trust: PolicyDocument;
  readonly policies: readonly PolicyDocument[];
  readonly maxSessionSeconds: number;
}

const DEFAULT_MAX_SESSION_SECONDS = 3600;

const documentOf = (properties: Readonly<Record<string, unknown>>): PolicyDocument =>
  properties.PolicyDocument as PolicyDocument;

const names = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const policiesNamed = (arns: readonly unknown[], policies: readonly StackResource[]): PolicyDocument[] =>
  policies.filter(({ physicalId }) => arns.includes(physicalId)).map(({ properties }) => documentOf(properties));

/**
 * The roles of a stack: inline policies, `AWS::IAM::Policy` and `AWS::IAM::ManagedPolicy` resources attached from either
 * side. Policies that AWS publishes (`arn:aws:iam::aws:policy/…`) are not part of the template and grant nothing here.
 */
export function rolesOf(stack: Stack): ReadonlyMap<string, Role> {
  const inline = [...resourcesOfType(stack, 'AWS::IAM::Policy'), ...resourcesOfType(stack, 'AWS::IAM::RolePolicy')];
  const managed = resourcesOfType(stack, 'AWS::IAM::ManagedPolicy');
  return new Map(
    resourcesOfType(stack, 'AWS::IAM::Role').map(({ physicalId: name, attributes, properties }) => {
      const attached = [...inline, ...managed].filter(
        (policy) => names(policy.properties.Roles).includes(name) || policy.properties.RoleName === name,
      );
      const arn = attributes.Arn as string;
      const role: Role = {
        arn,
        id: attributes.RoleId as string,
        name,
        trust: properties.AssumeRolePolicyDocument as PolicyDocument,
        policies: [
          ...names(properties.Policies).map((policy) => documentOf(policy as Record<string, unknown>)),
          ...attached.map((policy) => documentOf(policy.properties)),
          ...policiesNamed(names(properties.ManagedPolicyArns), managed),
        ],
        maxSessionSeconds: Number(properties.MaxSessionDuration ?? DEFAULT_MAX_SESSION_SECONDS),
      };
      return [arn, role] as const;
    }),
  );
}
