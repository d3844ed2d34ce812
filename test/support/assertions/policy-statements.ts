import type { Template } from 'aws-cdk-lib/assertions';

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

interface PolicyResource {
  readonly Properties: {
    readonly PolicyDocument: { readonly Statement: Statement[] };
    readonly Roles?: { Ref: string }[];
  };
}

/** All statements of the template's policies of a type, each with its actions as a sorted list. */
export const statementsIn = (
  template: Template,
  type: 'AWS::IAM::Policy' | 'AWS::IAM::ManagedPolicy',
  ofRole?: RegExp,
): (Statement & { readonly Action: string[] })[] =>
  (Object.values(template.findResources(type)) as PolicyResource[])
    .filter(({ Properties }) => ofRole === undefined || (Properties.Roles ?? []).some(({ Ref }) => ofRole.test(Ref)))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .map((statement) => ({ ...statement, Action: [statement.Action].flat().sort() }));
