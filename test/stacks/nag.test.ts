import { CfnResource } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { STACK_VARIANTS } from '../support/cdk/stack-variants';
import { appFor } from '../support/cdk/synthesized-app';

describe('cdk-nag, AwsSolutions', () => {
  it.each(Object.keys(STACK_VARIANTS))('finds nothing in the variant "%s"', (name) => {
    const { app } = appFor(STACK_VARIANTS[name] as Record<string, string>);
    const resources = app.node.findAll().filter(CfnResource.isCfnResource);

    expect(resources.length).toBeGreaterThanOrEqual(8);
    expect(new AwsSolutionsChecks(app, { verbose: true }).validateScope(app).violations).toEqual([]);
  });

  it('is not blinded: an unreviewed wildcard is found', () => {
    const { app, stack } = appFor({});
    stack.agents.taskDefinition.taskDefinition.addToTaskRolePolicy(
      new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::*'] }),
    );

    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual(['AwsSolutions-IAM5[Resource::arn:aws:s3:::*]']);
  });
});
