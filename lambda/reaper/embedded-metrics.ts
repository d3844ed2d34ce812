import { METRICS } from '../../lib/contract/metrics';
import type { ReapResult } from '../../lib/hosts/reaping/reap';
import type { EndedHost, StartedHost } from './task-event';

type Unit = 'Count' | 'Milliseconds' | 'None';

interface Values {
  readonly [metric: string]: readonly [value: number, unit: Unit];
}

/** States that a listed task can have. Every run writes a value for each, so that its line in a graph falls to zero. */
const LIVE_STATES = ['PROVISIONING', 'PENDING', 'ACTIVATING', 'RUNNING'];

/**
 * Metrics as log lines: CloudWatch Logs extracts them from the log (CloudWatch user guide, "Embedded metric format"), so
 * they need no permission and no call to wait for.
 */
export class EmbeddedMetrics {
  constructor(
    private readonly family: string,
    private readonly write: (line: object) => void,
  ) {}

  /** Writes gauges only for a complete run: half a fleet would look like a loss. A dry run counts no stops. */
  ofRun({ census, complete, dryRun, stopped, reported, errors }: ReapResult, at: number): void {
    const stops = dryRun ? {} : stopped;
    this.emit(at, {
      [METRICS.reaperStops]: [total(stops), 'Count'],
      [METRICS.reaperReports]: [total(reported), 'Count'],
      [METRICS.reaperErrors]: [errors, 'Count'],
      ...(complete && {
        [METRICS.hosts]: [census.hosts, 'Count'],
        [METRICS.vcpuInUse]: [census.vcpu, 'Count'],
        [METRICS.costPerDay]: [rounded(census.dollarsPerDay), 'None'],
      }),
    });
    this.emitBy(METRICS.reason, METRICS.reaperStops, stops, at);
    this.emitBy(METRICS.reason, METRICS.reaperReports, reported, at);
    if (!complete) return;
    const states = Object.fromEntries([...LIVE_STATES.map((state) => [state, 0] as const), ...census.states]);
    this.emitBy(METRICS.state, METRICS.hostsByState, states, at);
  }

  ofStart({ startTime, at }: StartedHost): void {
    this.emit(at, {
      [METRICS.hostStarts]: [1, 'Count'],
      ...(startTime !== undefined && { [METRICS.hostStartTime]: [startTime, 'Milliseconds'] }),
    });
  }

  ofEnd({ reason, failedStart, at }: EndedHost): void {
    this.emit(at, { [METRICS.hostStops]: [1, 'Count'], [METRICS.hostStartFailures]: [failedStart ? 1 : 0, 'Count'] });
    this.emitBy(METRICS.reason, METRICS.hostStops, { [reason]: 1 }, at);
  }

  private emitBy(dimension: string, metric: string, values: Readonly<Record<string, number>>, at: number): void {
    for (const [key, value] of Object.entries(values)) {
      this.emit(at, { [metric]: [value, 'Count'] }, { [dimension]: key });
    }
  }

  private emit(at: number, values: Values, dimensions: Readonly<Record<string, string>> = {}): void {
    const all = { [METRICS.family]: this.family, ...dimensions };
    this.write({
      _aws: {
        Timestamp: at,
        CloudWatchMetrics: [
          {
            Namespace: METRICS.namespace,
            Dimensions: [Object.keys(all)],
            Metrics: Object.entries(values).map(([Name, [, Unit]]) => ({ Name, Unit })),
          },
        ],
      },
      ...all,
      ...Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value])),
    });
  }
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Rounded to a tenth of a cent. */
const rounded = (dollars: number): number => Math.round(dollars * 1000) / 1000;
