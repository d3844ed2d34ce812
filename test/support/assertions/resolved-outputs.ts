import type { Template } from 'aws-cdk-lib/assertions';

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** Values that resources of a type have once they are deployed. */
const PHYSICAL: readonly (readonly [type: RegExp, value: (logicalId: string) => string])[] = [
  [/^AWS::IAM::Role$/, (id) => `arn:aws:iam::123456789012:role/${id}`],
  [/^AWS::IAM::ManagedPolicy$/, (id) => `arn:aws:iam::123456789012:policy/${id}`],
  [/^AWS::EC2::Subnet$/, (id) => `subnet-${id.toLowerCase()}`],
  [/^AWS::EC2::SecurityGroup$/, (id) => `sg-${id.toLowerCase()}`],
];

/** The stack's outputs as CloudFormation would give them, with made-up physical ids. */
export function resolvedOutputs(template: Template): Record<string, string> {
  const { Outputs, Resources } = template.toJSON() as {
    Outputs: Record<string, { Value: unknown }>;
    Resources: Record<string, { Type: string }>;
  };
  const physical = (logicalId: string): string => {
    const type = Resources[logicalId]?.Type ?? '';
    return PHYSICAL.find(([pattern]) => pattern.test(type))?.[1](logicalId) ?? logicalId;
  };
  const resolve = (value: unknown): string => {
    if (typeof value === 'string') return value;
    const [[name, argument] = ['', undefined]] = Object.entries(value as object) as [string, unknown][];
    switch (name) {
      case 'Ref':
        return PSEUDO_PARAMETERS[String(argument)] ?? physical(String(argument));
      case 'Fn::GetAtt':
        return physical((argument as string[])[0] as string);
      case 'Fn::Join': {
        const [delimiter, items] = argument as [string, unknown[]];
        return items.map(resolve).join(delimiter);
      }
      case 'Fn::Sub':
        return String(argument).replace(/\$\{([^}]+)\}/g, (_, reference: string) => resolve({ Ref: reference }));
      default:
        throw new Error(`the test's resolver doesn't know ${JSON.stringify(value)}`);
    }
  };
  return Object.fromEntries(Object.entries(Outputs).map(([key, { Value }]) => [key, resolve(Value)]));
}
