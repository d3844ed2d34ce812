/** A module of its own for `import()`, as lib/aws/ssm-client.ts. */
export { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
