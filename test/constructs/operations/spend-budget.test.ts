import { Match, Template } from 'aws-cdk-lib/assertions';
import { operationsWith } from '../../support/cdk/operations-stack';

const templateWith = (options: { budgetTag?: { key: string; value: string } } = {}): Template =>
  Template.fromStack(operationsWith({ alarmEmails: ['team@example.com'], monthlyBudgetUsd: 500, ...options }).stack);

const HERE = { LinkedAccount: ['123456789012'], Region: ['eu-central-1'] };

describe('the budget', () => {
  it("is monthly, in US dollars, over this account's ECS in this region: nothing must be activated for that", () => {
    templateWith().hasResourceProperties('AWS::Budgets::Budget', {
      Budget: {
        BudgetType: 'COST',
        TimeUnit: 'MONTHLY',
        BudgetLimit: { Amount: 500, Unit: 'USD' },
        CostFilters: { ...HERE, Service: ['Amazon Elastic Container Service'] },
        BudgetName: Match.absent(),
      },
    });
  });

  it('counts the tasks of a cost allocation tag where one is given', () => {
    templateWith({ budgetTag: { key: 'team', value: 'search' } }).hasResourceProperties('AWS::Budgets::Budget', {
      Budget: Match.objectLike({ CostFilters: { ...HERE, TagKeyValue: ['user:team$search'] } }),
    });
  });

  it('tells before it is spent, when it is spent, and when it will be', () => {
    const notification = (NotificationType: string, Threshold: number) => ({
      Notification: { NotificationType, Threshold, ThresholdType: 'PERCENTAGE', ComparisonOperator: 'GREATER_THAN' },
      Subscribers: [{ SubscriptionType: 'SNS', Address: { Ref: Match.stringLikeRegexp('^OperationsToldTopic') } }],
    });

    templateWith().hasResourceProperties('AWS::Budgets::Budget', {
      NotificationsWithSubscribers: [
        notification('ACTUAL', 80),
        notification('ACTUAL', 100),
        notification('FORECASTED', 100),
      ],
    });
  });

  it('is made after the policy that lets it publish', () => {
    templateWith().hasResource('AWS::Budgets::Budget', {
      DependsOn: [Match.stringLikeRegexp('^OperationsToldPolicy')],
    });
  });
});
