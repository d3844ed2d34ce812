import { Match, Template } from 'aws-cdk-lib/assertions';
import { operationsWith } from '../../support/cdk/operations-stack';
import { emptyStack } from '../../support/cdk/construct-stack';
import { OperationsTopic } from '../../../lib/constructs';

const IN_THIS_ACCOUNT = { StringEquals: { 'aws:SourceAccount': '123456789012' } };

const templateWith = (...emails: string[]): Template => {
  const stack = emptyStack();
  new OperationsTopic(stack, 'Told', { emails });
  return Template.fromStack(stack);
};

interface TopicStatement {
  readonly Effect: string;
  readonly Principal: { readonly Service?: string | string[] };
}

/** Services that a topic policy lets in. */
const publishersIn = (template: Template): unknown[] =>
  Object.values(template.findResources('AWS::SNS::TopicPolicy'))
    .flatMap(
      ({ Properties }) => (Properties as { PolicyDocument: { Statement: TopicStatement[] } }).PolicyDocument.Statement,
    )
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Principal }) => Principal.Service);

describe('the topic of alarms', () => {
  it('is encrypted with a key that rotates and goes with the stack', () => {
    const template = templateWith();

    template.hasResourceProperties('AWS::SNS::Topic', {
      KmsMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ToldKey'), 'Arn'] },
    });
    template.hasResource('AWS::KMS::Key', {
      DeletionPolicy: 'Delete',
      Properties: { EnableKeyRotation: true, PendingWindowInDays: 7 },
    });
  });

  it('takes messages over TLS only', () => {
    templateWith().hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sns:Publish',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  it("lets this account's alarms publish, and use the key for it", () => {
    const template = templateWith();

    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: IN_THIS_ACCOUNT,
          }),
        ]),
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: IN_THIS_ACCOUNT,
          }),
        ]),
      },
    });
  });

  it('lets AWS Budgets publish if there is a budget, and nobody else', () => {
    const withBudget = operationsWith({ alarmEmails: ['team@example.com'], monthlyBudgetUsd: 500 });

    expect(publishersIn(templateWith())).toEqual(['cloudwatch.amazonaws.com']);
    expect(publishersIn(Template.fromStack(withBudget.stack))).toEqual([
      'budgets.amazonaws.com',
      'cloudwatch.amazonaws.com',
    ]);
  });

  it('is subscribed by each address', () => {
    const template = templateWith('one@example.com', 'two@example.com');

    for (const Endpoint of ['one@example.com', 'two@example.com']) {
      template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint });
    }
  });
});
