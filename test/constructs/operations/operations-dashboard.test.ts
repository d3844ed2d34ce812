import { Template } from 'aws-cdk-lib/assertions';
import type { OperationsOptions } from '../../../lib/constructs';
import type { Widget } from '../../support/cdk/operations-stack';
import { dashboardIn, operationsWith } from '../../support/cdk/operations-stack';

const dashboardOf = (options: OperationsOptions) =>
  dashboardIn(Template.fromStack(operationsWith({ ...options, dashboard: true }).stack));

const { name, widgets } = dashboardOf({ alarms: true });
const titled = (title: string): Widget | undefined => widgets.find(({ properties }) => properties.title === title);

describe('the dashboard', () => {
  it('has a name that a person finds, and that no other region of the account has', () => {
    expect(name).toBe('mngr-task-eu-central-1');
  });

  it('shows the median and the 95th percentile of the start time', () => {
    expect(titled('Start time')?.properties.metrics?.map((metric) => metric.at(-1))).toEqual([
      expect.objectContaining({ stat: 'p50' }),
      expect.objectContaining({ stat: 'p95' }),
    ]);
  });

  it('finds states and reasons as they appear, of this environment only', () => {
    expect(titled('Stops by reason')?.properties.metrics).toEqual([
      [
        expect.objectContaining({
          expression: `SEARCH('{MngrFargate,Family,Reason} MetricName="HostStops" Family="mngr-task"', 'Sum', 3600)`,
          label: "${PROP('Dim.Reason')}",
        }),
      ],
    ]);
    expect(JSON.stringify(titled('Hosts by state')?.properties.metrics)).toContain('{MngrFargate,Family,State}');
  });

  it('shows the vCPU in use beside the quota', () => {
    const expressions = titled('vCPU of the account, Fargate On-Demand')?.properties.metrics?.map((metric) =>
      JSON.stringify(metric),
    );

    expect(expressions?.join()).toContain('SERVICE_QUOTA(usage)');
    expect(expressions?.join()).toContain('VcpuInUse');
  });

  it('shows the state of the alarms, where there are some', () => {
    expect(titled('Alarms')?.properties.alarms).toHaveLength(5);
    expect(dashboardOf({}).widgets.filter(({ type }) => type === 'alarm')).toEqual([]);
  });

  it("lays its widgets out within CloudWatch's 24 columns, none over another", () => {
    const cells = widgets.flatMap(({ x, y, width, height }) => {
      expect(x + width).toBeLessThanOrEqual(24);
      return Array.from(
        { length: width * height },
        (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`,
      );
    });

    expect(new Set(cells).size).toBe(cells.length);
  });
});
