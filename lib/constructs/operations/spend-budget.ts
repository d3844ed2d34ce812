import { Stack, Token } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/** A tag of hosts that is activated as a cost allocation tag. */
export interface CostAllocationTag {
  readonly key: string;
  readonly value: string;
}

export interface SpendBudgetProps {
  /** US dollars a calendar month, more than 0. */
  readonly monthlyUsd: number;

  /**
   * Where the notifications go. A topic from elsewhere must let `budgets.amazonaws.com` publish, and be in this
   * account.
   */
  readonly topic: ITopic;

  /**
   * Counts only the tasks with this tag. It must be activated as a cost allocation tag in the billing console, or the
   * budget stays at zero.
   *
   * @default - all of Amazon ECS in this account and region, which needs no activation
   */
  readonly tag?: CostAllocationTag;
}

/** How Fargate tasks of ECS appear on the bill. */
const BILLED_AS = 'Amazon Elastic Container Service';

const NOTIFICATIONS = [
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'ACTUAL', threshold: 100 },
  { notificationType: 'FORECASTED', threshold: 100 },
] as const;

/**
 * A monthly budget that notifies when 80 % and 100 % are spent, and when the month is forecast to exceed it. AWS checks
 * the bill up to three times a day, so it reports a runaway fleet hours later; nothing is stopped.
 */
export class SpendBudget extends Construct {
  readonly budget: CfnBudget;

  constructor(scope: Construct, id: string, props: SpendBudgetProps) {
    super(scope, id);
    const { monthlyUsd, tag } = props;
    if (!Token.isUnresolved(monthlyUsd) && !(monthlyUsd > 0)) {
      throw new Error(`a monthly budget of ${monthlyUsd} US dollars is not valid: give more than 0`);
    }
    const { account, region } = Stack.of(this);

    // Without a name CloudFormation makes one up, so a budget that must be replaced doesn't collide with itself.
    this.budget = new CfnBudget(this, 'Resource', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyUsd, unit: 'USD' },
        costFilters: {
          // In the account that pays for an organization a budget would count every account's costs.
          LinkedAccount: [account],
          Region: [region],
          ...(tag === undefined ? { Service: [BILLED_AS] } : { TagKeyValue: [`user:${tag.key}$${tag.value}`] }),
        },
      },
      notificationsWithSubscribers: NOTIFICATIONS.map((notification) => ({
        notification: { ...notification, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
        subscribers: [{ subscriptionType: 'SNS', address: props.topic.topicArn }],
      })),
    });
  }
}
