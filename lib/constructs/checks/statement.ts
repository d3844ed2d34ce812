import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { acknowledgeFinding, wildcardFinding } from './nag-acknowledgement';

/** One statement for a policy of the construct or below it; `wildcard` says why its resources may hold one. */
export function allow(
  construct: IConstruct,
  sid: string,
  actions: string[],
  resources: string[],
  options: { readonly conditions?: Record<string, unknown>; readonly wildcard?: string } = {},
): PolicyStatement {
  if (options.wildcard !== undefined) {
    for (const resource of resources)
      acknowledgeFinding(construct, wildcardFinding(construct, resource), options.wildcard);
  }
  return new PolicyStatement({ sid, actions, resources, conditions: options.conditions });
}
