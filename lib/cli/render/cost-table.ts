import type { CostReport, CostRow } from '../../hosts/model/cost-report';
import { formatCost } from './format';
import { renderTable } from './table';

/** Marks every figure that includes Fargate Spot. */
const ROUGHLY = '~';

const cost = (row: Pick<CostRow, 'spot'>, dollars: number): string => (row.spot ? ROUGHLY : '') + formatCost(dollars);

const tagText = ({ key, tagsForgotten }: CostRow): string =>
  key ?? (tagsForgotten === true ? '(stopped: tags forgotten)' : '(without the tag)');

/** Columns of a grouping, without the hours and the cost that all of them end with. */
function columnsOf({ by, tag, until }: CostReport): [string[], (row: CostRow) => string[]] {
  switch (by) {
    case 'host':
      return [
        ['NAME', 'STATE', 'COST/HOUR'],
        (row) => [row.key ?? '', row.state ?? '', row.usdPerHour === 0 ? '-' : cost(row, row.usdPerHour ?? 0)],
      ];
    case 'tag':
      return [
        [`TAG ${tag ?? ''}`, 'HOSTS', 'COST/HOUR'],
        (row) => [tagText(row), String(row.hosts), row.usdPerHour === 0 ? '-' : cost(row, row.usdPerHour ?? 0)],
      ];
    case 'day':
      return [['DAY (UTC)', 'HOSTS'], (row) => [dayText(row, until), String(row.hosts)]];
  }
}

/** Today isn't over. */
const dayText = ({ key }: CostRow, until: string): string =>
  `${key ?? ''}${key !== null && until.startsWith(key) ? ' so far' : ''}`;

/** The table of `cost`, with what it covers and what it is based on. */
export function costTable(report: CostReport): string {
  const { rows, total, projected, region, pricesOf, pricesAsOf, since, covers } = report;
  const [headings, cellsOf] = columnsOf(report);
  const table = [
    [...headings, 'HOURS', 'COST'],
    ...rows.map((row) => [...cellsOf(row), row.hours.toFixed(2), cost(row, row.usd)]),
    ['total', ...headings.slice(1).map(() => ''), total.hours.toFixed(2), cost(total, total.usd)],
  ];
  const prices = pricesOf === region ? pricesOf : `${pricesOf}, as ${region} is not in the list`;
  const lines = [
    projected.usdPerHour === 0
      ? 'none of them is still running'
      : `if these keep running: ${formatCost(projected.usdPerDay)} a day, ${formatCost(projected.usdPerMonth)} a month`,
    `covers ${covers}${since === null ? '' : `; nothing before ${since}`}`,
    `estimated at list prices of ${prices} (${pricesAsOf}), in US dollars, without logs, traffic and taxes`,
    ...(total.spot ? [`${ROUGHLY} includes Fargate Spot, whose price varies`] : []),
  ];
  return rows.length === 0 ? `no hosts to bill\ncovers ${covers}\n` : `${renderTable(table)}\n${lines.join('\n')}\n`;
}
