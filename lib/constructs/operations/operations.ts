import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { IMetricsSource } from './environment-metrics';
import { OperationsAlarms } from './operations-alarms';
import { OperationsDashboard } from './operations-dashboard';
import { OperationsTopic } from './operations-topic';
import type { CostAllocationTag } from './spend-budget';
import { SpendBudget } from './spend-budget';

/** The monitoring of an environment. All of it is optional; docs/operating.md says what each part costs. */
export interface OperationsOptions {
  /**
   * A CloudWatch dashboard.
   *
   * @default false
   */
  readonly dashboard?: boolean;

  /**
   * CloudWatch alarms.
   *
   * @default - true if there is someone to notify: with `alarmEmails` or `alarmTopic`
   */
  readonly alarms?: boolean;

  /**
   * E-mail addresses that alarms and the budget notify. Not with `alarmTopic`.
   *
   * @default - none
   */
  readonly alarmEmails?: string[];

  /**
   * An existing topic that alarms and the budget notify. Its policy, and that of its key, must let
   * `cloudwatch.amazonaws.com` and, for a budget, `budgets.amazonaws.com` publish.
   *
   * @default - a topic of its own where one is needed
   */
  readonly alarmTopic?: ITopic;

  /**
   * Percent of a vCPU quota of the account from which on an alarm goes off.
   *
   * @default 80
   */
  readonly quotaAlarmPercent?: number;

  /**
   * US dollars a month; AWS Budgets notifies at 80 %, at 100 %, and when the forecast exceeds it.
   *
   * @default - no budget
   */
  readonly monthlyBudgetUsd?: number;

  /**
   * The cost allocation tag that the budget counts, in place of all of Amazon ECS in the account and region.
   *
   * @default - none
   */
  readonly budgetTag?: CostAllocationTag;
}

export interface OperationsProps extends OperationsOptions {
  /** Task definition family of the hosts. */
  readonly family: string;

  /** Whether hosts may run on Fargate Spot. */
  readonly spot: boolean;

  /** What writes the metrics of hosts; without it there are none. */
  readonly reaper?: IMetricsSource;
}

/** Dashboard, alarms and budget of an environment, as far as they were asked for. */
export class Operations extends Construct {
  readonly dashboard: OperationsDashboard | undefined;
  readonly alarms: OperationsAlarms | undefined;
  readonly budget: SpendBudget | undefined;

  /** Where alarms and the budget are sent; undefined if there is neither. */
  readonly topic: ITopic | undefined;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    const { family, spot, reaper, alarmEmails, alarmTopic, monthlyBudgetUsd } = props;
    const told = (alarmEmails ?? []).length > 0 || alarmTopic !== undefined;
    const alarms = props.alarms ?? told;
    refuse(props, { alarms, told });

    const ownTopic =
      alarmTopic === undefined && (alarms || monthlyBudgetUsd !== undefined)
        ? new OperationsTopic(this, 'Told', { emails: alarmEmails })
        : undefined;
    this.topic = alarmTopic ?? ownTopic?.topic;

    if (alarms && reaper !== undefined && this.topic !== undefined) {
      this.alarms = new OperationsAlarms(this, 'Alarms', {
        family,
        reaper,
        topic: this.topic,
        spot,
        quotaPercent: props.quotaAlarmPercent,
      });
    }
    if (props.dashboard === true && reaper !== undefined) {
      this.dashboard = new OperationsDashboard(this, 'Dashboard', {
        family,
        reaper,
        alarms: this.alarms?.alarms,
        spot,
      });
    }
    if (monthlyBudgetUsd !== undefined && this.topic !== undefined) {
      this.budget = new SpendBudget(this, 'Budget', {
        monthlyUsd: monthlyBudgetUsd,
        topic: this.topic,
        tag: props.budgetTag,
      });
      if (ownTopic !== undefined) {
        ownTopic.allowBudgets();
        // AWS Budgets tests the topic when the budget is created.
        this.budget.node.addDependency(ownTopic.policy);
      }
    }
  }
}

/** Refuses options that would have no effect. */
function refuse(props: OperationsProps, { alarms, told }: { alarms: boolean; told: boolean }): void {
  const { monthlyBudgetUsd, quotaAlarmPercent } = props;
  if (props.alarmEmails !== undefined && props.alarmTopic !== undefined) {
    throw new Error(
      'alarmEmails and alarmTopic cannot be used together: subscribe the addresses to the topic, or leave it out',
    );
  }
  if (told && !alarms && monthlyBudgetUsd === undefined) {
    throw new Error('alarmEmails and alarmTopic have no effect without alarms or monthlyBudgetUsd: leave them out');
  }
  if (monthlyBudgetUsd !== undefined && !told && !alarms) {
    throw new Error('monthlyBudgetUsd needs someone to notify: give alarmEmails or alarmTopic');
  }
  if (props.budgetTag !== undefined && monthlyBudgetUsd === undefined) {
    throw new Error('budgetTag has no effect without monthlyBudgetUsd: leave it out, or give a budget');
  }
  if (quotaAlarmPercent !== undefined && !alarms) {
    throw new Error('quotaAlarmPercent has no effect without alarms: leave it out, or give alarmEmails');
  }
  if (quotaAlarmPercent !== undefined && !(quotaAlarmPercent >= 1 && quotaAlarmPercent <= 100)) {
    throw new Error(`quotaAlarmPercent of ${quotaAlarmPercent} is out of range: use 1 to 100`);
  }
  if ((alarms || props.dashboard === true) && props.reaper === undefined) {
    const asked = alarms ? 'alarms' : 'dashboard';
    throw new Error(
      `${asked}: the metrics of hosts are written by the reaper, which is off: leave it on, or leave ${asked} out`,
    );
  }
}
