import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { METRICS } from '../../../lib/contract/metrics';
import { LOG_EVENTS } from '../../../lib/contract/log-events';
import type { ReaperProps } from '../../../lib/constructs';
import { AgentCluster, Reaper } from '../../../lib/constructs';
import { emptyStack } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';

const CLUSTER = 'arn:aws:ecs:eu-central-1:123456789012:cluster/mngr';
const TASKS = 'arn:aws:ecs:eu-central-1:123456789012:task/mngr/*';

const templateWith = (props: Partial<ReaperProps> = {}): Template => {
  const stack = emptyStack();
  const cluster = AgentCluster.fromClusterName(stack, 'Cluster', 'mngr');
  new Reaper(stack, 'Reaper', { cluster, family: 'mngr-task', publicIp: true, ...props });
  return Template.fromStack(stack);
};
const allowing = (action: string, template = templateWith()) =>
  statementsIn(template, 'AWS::IAM::Policy').filter(({ Action }) => Action.includes(action));

describe('the reaper', () => {
  it('runs every five minutes, or as often as configured', () => {
    templateWith().hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
    });
    templateWith({ interval: Duration.hours(1) }).hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 hour)',
    });
  });

  it.each([Duration.seconds(30), Duration.seconds(90), Duration.days(2)])('refuses an interval of %s', (interval) => {
    expect(() => templateWith({ interval })).toThrow(/the reaper's interval of \d+ seconds is not possible/);
  });

  it('receives the starts and ends of its own tasks only', () => {
    templateWith().hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.ecs'],
        'detail-type': ['ECS Task State Change'],
        detail: { clusterArn: [CLUSTER], group: ['family:mngr-task'], lastStatus: ['RUNNING', 'STOPPED'] },
      },
    });
  });

  it('lists, describes and stops in its cluster only, and stops only what carries the tag of a host or of a shell', () => {
    expect(allowing('ecs:ListTasks')).toEqual([
      expect.objectContaining({ Resource: '*', Condition: { ArnEquals: { 'ecs:cluster': CLUSTER } } }),
    ]);
    expect(allowing('ecs:DescribeTasks')).toEqual([expect.objectContaining({ Resource: TASKS })]);
    expect(allowing('ecs:StopTask')).toEqual([
      expect.objectContaining({ Resource: TASKS, Condition: { Null: { 'aws:ResourceTag/mngr-host-id': 'false' } } }),
      expect.objectContaining({
        Resource: TASKS,
        Condition: { Null: { 'aws:ResourceTag/mngr-shell-max-lifetime': 'false' } },
      }),
    ]);
  });

  it('may stop untagged tasks where it is to', () => {
    const [statement] = allowing('ecs:StopTask', templateWith({ stopUntagged: true }));
    expect(statement).not.toHaveProperty('Condition');
    expect(statement).toMatchObject({ Resource: TASKS });
  });

  it('has nothing to do with task definitions where it clears no revisions', () => {
    expect(allowing('ecs:DeregisterTaskDefinition')).toHaveLength(1);
    const without = templateWith({ revisions: false });
    for (const action of ['ecs:DeregisterTaskDefinition', 'ecs:ListTaskDefinitions', 'ecs:DescribeTaskDefinition']) {
      expect(allowing(action, without)).toEqual([]);
    }
  });

  it('may do nothing else', () => {
    const actions = statementsIn(templateWith(), 'AWS::IAM::Policy').flatMap(({ Action }) => Action);
    expect(actions.sort()).toEqual([
      'ecs:DeregisterTaskDefinition',
      'ecs:DescribeTaskDefinition',
      'ecs:DescribeTasks',
      'ecs:ListTaskDefinitions',
      'ecs:ListTasks',
      'ecs:StopTask',
      'ecs:StopTask',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });

  it('gets its settings, and is not retried: the next run is the retry', () => {
    const template = templateWith({
      dryRun: true,
      expiryGrace: Duration.minutes(1),
      readyTimeout: Duration.minutes(30),
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 300,
      Environment: {
        Variables: {
          MNGR_REAPER_CLUSTER: 'mngr',
          MNGR_REAPER_FAMILY: 'mngr-task',
          MNGR_REAPER_DRY_RUN: 'true',
          MNGR_REAPER_STOP_UNTAGGED: 'false',
          MNGR_REAPER_EXPIRY_GRACE_SECONDS: '60',
          MNGR_REAPER_READY_TIMEOUT_SECONDS: '1800',
        },
      },
      LoggingConfig: { LogFormat: 'Text' },
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 14 });
  });

  it('comes with queries that know its notices, in a folder of the environment', () => {
    const queries = templateWith().findResources('AWS::Logs::QueryDefinition', {
      Properties: { Name: Match.stringLikeRegexp('^mngr-fargate/mngr-task/') },
    });
    const text = Object.values(queries)
      .map(({ Properties }) => (Properties as { QueryString: string }).QueryString)
      .join('\n');
    expect(Object.keys(queries)).toHaveLength(6);
    for (const notice of Object.values(LOG_EVENTS)) expect(text).toContain(`"${notice}"`);
    expect(text).not.toContain(METRICS.namespace);
  });
});
