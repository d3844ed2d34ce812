import type { CfnResource } from 'aws-cdk-lib';

/** Tells cfn-lint, in the template itself, that a rule has been reviewed for this resource and doesn't apply. */
export function ignoreCfnLintRule(resource: CfnResource, rule: string): void {
  resource.addMetadata('cfn-lint', { config: { ignore_checks: [rule] } });
}
