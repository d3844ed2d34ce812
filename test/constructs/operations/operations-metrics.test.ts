import { Template } from 'aws-cdk-lib/assertions';
import { EmbeddedMetrics } from '../../../lambda/reaper/embedded-metrics';
import { METRICS } from '../../../lib/contract/metrics';
import { dashboardIn, operationsWith } from '../../support/cdk/operations-stack';

interface MetricLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

const FAMILY = 'mngr-task';
const series = (name: string, dimensions: readonly string[]): string =>
  `${name} by ${[...dimensions].sort().join(', ')}`;

/** Every metric that the reaper's own writer takes out of a run with all that can be in one, and of task events. */
function written(): Set<string> {
  const lines: MetricLine[] = [];
  const metrics = new EmbeddedMetrics(FAMILY, (line) => lines.push(line as MetricLine));
  const now = Date.now();
  const run = {
    census: { hosts: 2, vcpu: 3, dollarsPerDay: 4, states: new Map([['RUNNING', 2]]) },
    complete: true,
    dryRun: false,
    stopped: { expired: 1 },
    reported: { untagged: 1 },
    errors: 0,
  };
  metrics.ofRun(run as unknown as Parameters<EmbeddedMetrics['ofRun']>[0], now);
  metrics.ofStart({ kind: 'started', startTime: 9000, at: now });
  metrics.ofEnd({ kind: 'ended', reason: 'destroyed', failedStart: false, at: now });
  return new Set(
    lines.flatMap((line) =>
      line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) => {
        expect([Namespace, line[METRICS.family]]).toEqual([METRICS.namespace, FAMILY]);
        return Metrics.flatMap(({ Name }) => Dimensions.map((dimensions) => series(Name, dimensions)));
      }),
    ),
  );
}

interface MetricOfAlarm {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

/** What a widget's line reads: `[namespace, name, dimension, value, …]`, or a search in an expression. */
function readByLine(line: readonly unknown[]): string[] {
  const [first, name, ...rest] = line;
  if (first === METRICS.namespace) {
    const words = rest.filter((word) => typeof word === 'string');
    return [
      series(
        String(name),
        words.filter((_, index) => index % 2 === 0),
      ),
    ];
  }
  const { expression = '' } = first as { expression?: string };
  const [, dimensions = '', searched = ''] =
    /^SEARCH\('\{MngrFargate,([\w,]+)\} MetricName="(\w+)" /.exec(expression) ?? [];
  return searched === '' ? [] : [series(searched, dimensions.split(','))];
}

function readByAlarm(properties: Record<string, unknown>): string[] {
  const metrics = (properties.Metrics ?? []) as { MetricStat?: { Metric: MetricOfAlarm } }[];
  return [properties as MetricOfAlarm, ...metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? [])].flatMap(
    ({ Namespace, MetricName = '', Dimensions = [] }) =>
      Namespace === METRICS.namespace
        ? [
            series(
              MetricName,
              Dimensions.map(({ Name }) => Name),
            ),
          ]
        : [],
  );
}

/** Every metric of the namespace that the dashboard and the alarms read. */
function read(): { readonly dashboard: Set<string>; readonly alarms: Set<string> } {
  const template = Template.fromStack(operationsWith({ dashboard: true, alarms: true }).stack);
  const lines = dashboardIn(template).widgets.flatMap(({ properties }) => properties.metrics ?? []);
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
  return {
    dashboard: new Set(lines.flatMap(readByLine)),
    alarms: new Set(alarms.flatMap(({ Properties }) => readByAlarm(Properties as Record<string, unknown>))),
  };
}

describe('the metrics', () => {
  const { dashboard, alarms } = read();

  it('that the dashboard shows are those that the reaper writes, to the letter: CloudWatch says nothing of others', () => {
    expect([...dashboard].sort()).toEqual([...written()].sort());
  });

  it('that alarms read are among them', () => {
    expect([...alarms].sort()).toEqual(['HostStartFailures by Family', 'ReaperErrors by Family']);
    expect([...written()]).toEqual(expect.arrayContaining([...alarms]));
  });

  it('are all of the contract', () => {
    const { namespace: _n, family: _f, state: _s, reason: _r, ...names } = METRICS;

    expect(new Set([...dashboard].map((metric) => metric.split(' ')[0]))).toEqual(new Set(Object.values(names)));
  });
});
