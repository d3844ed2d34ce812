import { Duration, Stack } from 'aws-cdk-lib';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LoggingFormat } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { REAPER_DEFAULTS, REAPER_ENVIRONMENT } from '../../contract/reaper';
import { SHELL_TAGS } from '../../contract/shell-tasks';
import { HOST_TAGS } from '../../contract/tags';
import type { IAgentCluster } from '../environment/agent-cluster';
import { LambdaFunction } from '../lambda/lambda-function';
import { acknowledgeFinding, wildcardFinding } from '../checks/nag-acknowledgement';
import { ReaperQueries } from './reaper-queries';

/** How the reaper works. */
export interface ReaperOptions {
  /**
   * Time between two runs, a minute at least and a day at most.
   *
   * @default Duration.minutes(5)
   */
  readonly interval?: Duration;

  /**
   * Whether it only logs what it would do.
   *
   * @default false
   */
  readonly dryRun?: boolean;

  /**
   * Whether it also stops tasks of the family that carry none of our tags, which somebody started without the launcher.
   *
   * @default - false: they are reported
   */
  readonly stopUntagged?: boolean;

  /**
   * Time after a host's age limit, in which the host can end itself first.
   *
   * @default Duration.minutes(5)
   */
  readonly expiryGrace?: Duration;

  /**
   * Time that a host may take to become ready once its boot lease has run out.
   *
   * @default Duration.hours(1)
   */
  readonly readyTimeout?: Duration;

  /**
   * Whether it deregisters revisions that `create --image` made and that are no longer needed. IAM can't restrict this
   * to one family: without it, the reaper's role has no permissions on task definitions at all.
   *
   * @default true
   */
  readonly revisions?: boolean;
}

export interface ReaperProps extends ReaperOptions {
  /** Where hosts run. */
  readonly cluster: IAgentCluster;

  /** Task definition family of the hosts. */
  readonly family: string;

  /** Whether hosts have a public IPv4 address, for the estimate of what they cost. */
  readonly publicIp: boolean;

  /**
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

/** Longest time between two runs. Seconds. */
const LONGEST_INTERVAL = 86_400;
/** Of one run. If a fleet takes longer, the next run continues. */
const TIMEOUT = Duration.minutes(5);
const MEMORY_MIB = 512;

/**
 * Stops hosts that are past their age limit, never became ready, or hold another host's name, and removes what hosts
 * leave behind, at every interval. ECS's task events are counted into metrics by the same function. docs/reaper.md says
 * what it does when.
 */
export class Reaper extends Construct {
  readonly handler: IFunction;
  readonly interval: Duration;
  readonly logGroup: ILogGroup;
  readonly role: IRole;

  constructor(scope: Construct, id: string, props: ReaperProps) {
    super(scope, id);
    this.interval = props.interval ?? Duration.seconds(REAPER_DEFAULTS.interval);
    checkInterval(this.interval);

    const lambda = new LambdaFunction(this, 'Handler', {
      code: 'reaper',
      description: `Stops hosts of ${props.family} that should have ended`,
      statements: this.statements(props),
      environment: environmentOf(props),
      timeout: TIMEOUT,
      memorySize: MEMORY_MIB,
      logRetention: props.logRetention,
      loggingFormat: LoggingFormat.TEXT,
    });
    // The next run serves as the retry: it sees everything that this one saw.
    lambda.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: TIMEOUT });
    this.handler = lambda.function;
    this.logGroup = lambda.logGroup;
    this.role = lambda.role;
    this.acknowledgeWildcards(props);

    const target = new LambdaTarget(this.handler, { retryAttempts: 2, maxEventAge: TIMEOUT });
    new Rule(this, 'Schedule', {
      description: `Runs the reaper of ${props.family}`,
      schedule: Schedule.rate(this.interval),
      targets: [target],
    });
    new Rule(this, 'TaskEvents', {
      description: `Tells the reaper of ${props.family} about hosts that start and stop`,
      eventPattern: taskEvents(props),
      targets: [target],
    });
    new ReaperQueries(this, 'Queries', { family: props.family, logGroup: this.logGroup });
  }

  private acknowledgeWildcards(props: ReaperProps): void {
    acknowledgeFinding(
      this.role,
      wildcardFinding(this, this.tasksOf(props)),
      'Task ids are made up at launch; tasks of this cluster only.',
    );
    acknowledgeFinding(
      this.role,
      wildcardFinding(this, '*'),
      'ecs:ListTasks knows container instances as its only resource type, and Fargate has none: the condition limits it to this cluster. The actions on task definitions have no resource-level permissions; the function touches its own family alone.',
    );
  }

  private tasksOf({ cluster }: ReaperProps): string {
    return Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` });
  }

  private statements(props: ReaperProps): PolicyStatement[] {
    const { cluster, stopUntagged = false, revisions = true } = props;
    const tasks = [this.tasksOf(props)];
    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    return [
      new PolicyStatement({
        sid: 'ListTasks',
        actions: ['ecs:ListTasks'],
        resources: ['*'],
        conditions: inThisCluster,
      }),
      new PolicyStatement({ sid: 'DescribeTasks', actions: ['ecs:DescribeTasks'], resources: tasks }),
      new PolicyStatement({
        sid: 'StopHosts',
        actions: ['ecs:StopTask'],
        resources: tasks,
        // IAM has no condition on a task's family; a task is a host if it has the tag that RunTask gave it.
        conditions: stopUntagged ? undefined : { Null: { [`aws:ResourceTag/${HOST_TAGS.hostId}`]: 'false' } },
      }),
      ...(stopUntagged
        ? []
        : [
            new PolicyStatement({
              sid: 'StopShells',
              actions: ['ecs:StopTask'],
              resources: tasks,
              conditions: { Null: { [`aws:ResourceTag/${SHELL_TAGS.maxLifetime}`]: 'false' } },
            }),
          ]),
      ...(revisions
        ? [
            new PolicyStatement({
              sid: 'ClearImageRevisions',
              actions: ['ecs:ListTaskDefinitions', 'ecs:DescribeTaskDefinition', 'ecs:DeregisterTaskDefinition'],
              resources: ['*'],
            }),
          ]
        : []),
    ];
  }
}

function checkInterval(interval: Duration): void {
  const seconds = interval.toSeconds();
  if (seconds % 60 === 0 && seconds >= 60 && seconds <= LONGEST_INTERVAL) return;
  throw new Error(`the reaper's interval of ${seconds} seconds is not possible: use whole minutes, 1 to 1440`);
}

function environmentOf(props: ReaperProps): Record<string, string> {
  const names = REAPER_ENVIRONMENT;
  const { dryRun = false, stopUntagged = false, revisions = true, publicIp } = props;
  return {
    [names.cluster]: props.cluster.clusterName,
    [names.family]: props.family,
    [names.dryRun]: String(dryRun),
    [names.stopUntagged]: String(stopUntagged),
    [names.revisions]: String(revisions),
    [names.publicIp]: String(publicIp),
    [names.expiryGrace]: String(props.expiryGrace?.toSeconds() ?? REAPER_DEFAULTS.expiryGrace),
    [names.readyTimeout]: String(props.readyTimeout?.toSeconds() ?? REAPER_DEFAULTS.readyTimeout),
  };
}

/** Starts and ends of this family's tasks; RunTask puts a task into the group of its family unless it is told another. */
const taskEvents = ({ cluster, family }: ReaperProps): EventPattern => ({
  source: ['aws.ecs'],
  detailType: ['ECS Task State Change'],
  detail: {
    clusterArn: [cluster.clusterArn],
    group: [`family:${family}`],
    lastStatus: ['RUNNING', 'STOPPED'],
  },
});
