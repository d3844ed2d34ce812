import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The source of the finding, if it isn't cdk-nag: `CloudFormation-Validate::F3020`. */
const NAMESPACE = /^[\w-]+::/;

/**
 * Records that a reviewed cdk-nag finding on this construct is intended. cdk-nag 3 matches the id exactly, so a rule
 * with findings needs the finding too (`wildcardFinding`, `managedPolicyFinding`).
 *
 * Writes what `Validations.acknowledge` would: older versions of aws-cdk-lib refuse there an id with `::` inside, which
 * every finding about an ARN has.
 */
export function acknowledgeFinding(construct: IConstruct, id: string, reason: string): void {
  const qualified = NAMESPACE.test(id) ? id : `Annotation::${id}`;
  construct.node.addMetadata(Validations.ACKNOWLEDGED_RULES_METADATA_KEY, { [qualified]: reason });
}

/** Id of AwsSolutions-IAM5 for one resource with a wildcard. `arn` may hold tokens of the construct's stack. */
export const wildcardFinding = (construct: IConstruct, arn: string): string =>
  `AwsSolutions-IAM5[Resource::${flatten(Stack.of(construct).resolve(arn))}]`;

/** Id of AwsSolutions-IAM4 for one AWS managed policy. */
export const managedPolicyFinding = (construct: IConstruct, arn: string): string =>
  `AwsSolutions-IAM4[Policy::${flatten(Stack.of(construct).resolve(arn))}]`;

/** The text that cdk-nag writes for a resolved value: `<LogicalId>` for a Ref, `<LogicalId.Attribute>` for a GetAtt. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    if ('Ref' in value) return `<${String(value.Ref)}>`;
    if ('Fn::GetAtt' in value) return `<${(value['Fn::GetAtt'] as string[]).join('.')}>`;
    if ('Fn::Join' in value) {
      const [delimiter, items] = value['Fn::Join'] as [string, unknown[]];
      return items.map(flatten).join(delimiter);
    }
  }
  return JSON.stringify(value);
}
