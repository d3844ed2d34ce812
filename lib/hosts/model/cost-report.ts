import { billedUntil, DEFAULT_PRICE_REGION, hasOwnPrices, PRICES_AS_OF } from './cost';
import type { Host } from './types';

/** ECS no longer shows hosts that stopped longer ago, so their cost is unknown. */
const COVERS = 'hosts that run, and hosts that stopped within about an hour';

/** Milliseconds. */
const HOUR = 3_600_000;
const HOURS_A_DAY = 24;
/** The hours of a month in AWS's own calculator. */
const HOURS_A_MONTH = 730;

export type CostGrouping =
  { readonly by: 'host' } | { readonly by: 'day' } | { readonly by: 'tag'; readonly tag: string };

/** The cost of one host, one day, or one value of a tag. */
export interface CostRow {
  /** The host's name, the day (`2026-11-21`, UTC), or the tag's value; null for hosts without the tag. */
  readonly key: string | null;
  /** Set if rows are hosts. */
  readonly hostId?: string;
  readonly state?: Host['state'];
  /** True if ECS no longer has the tags, because the task was stopped: the value is unknown. */
  readonly tagsForgotten?: boolean;
  readonly hosts: number;
  /** Billed hours, in total. */
  readonly hours: number;
  readonly usd: number;
  /** The hourly cost of those that haven't stopped. Not set for days. */
  readonly usdPerHour?: number;
  /** True if some of them run on Fargate Spot, whose price varies: the figures are less exact. */
  readonly spot: boolean;
}

/** US dollars are rounded to a millionth, hours to a thousandth, each separately. */
export interface CostReport {
  readonly currency: 'USD';
  /** The month of the price list. */
  readonly pricesAsOf: string;
  /** The hosts' region, and the region whose prices were used; null without hosts. */
  readonly region: string | null;
  readonly pricesOf: string | null;
  readonly covers: typeof COVERS;
  readonly by: CostGrouping['by'];
  /** The key of the tag that the rows are grouped by. */
  readonly tag: string | null;
  /** Nothing before this time is counted; null counts the hosts' whole lives. */
  readonly since: string | null;
  readonly until: string;
  readonly rows: readonly CostRow[];
  readonly total: Pick<CostRow, 'hosts' | 'hours' | 'usd' | 'spot'>;
  /** What the running hosts would cost if they all kept running. */
  readonly projected: { readonly usdPerHour: number; readonly usdPerDay: number; readonly usdPerMonth: number };
}

/** A period of a host's billed time, in milliseconds. */
interface Stretch {
  readonly host: Host;
  readonly from: number;
  readonly until: number;
}

/**
 * Splits the estimated cost of hosts by host, tag or day (UTC). It covers only the hosts that it is given: ECS
 * shows those that are running and those that stopped within about the last hour.
 *
 * @param since the time from which costs are counted
 */
export function costReport(
  hosts: readonly Host[],
  grouping: CostGrouping,
  { since, now }: { readonly since?: Date; readonly now: Date },
): CostReport {
  const stretches = hosts.flatMap((host) => billedStretch(host, since, now) ?? []);
  const region = hosts[0]?.taskArn.split(':')[3] ?? null;
  return {
    currency: 'USD',
    pricesAsOf: PRICES_AS_OF,
    region,
    pricesOf: region === null || hasOwnPrices(region) ? region : DEFAULT_PRICE_REGION,
    covers: COVERS,
    since: since?.toISOString() ?? null,
    until: now.toISOString(),
    by: grouping.by,
    tag: grouping.by === 'tag' ? grouping.tag : null,
    rows: rowsOf(stretches, grouping),
    total: sum(stretches),
    projected: {
      usdPerHour: dollars(rate(stretches)),
      usdPerDay: dollars(rate(stretches) * HOURS_A_DAY),
      usdPerMonth: dollars(rate(stretches) * HOURS_A_MONTH),
    },
  };
}

/** Undefined for a host for which nothing is billed in the period. */
function billedStretch(host: Host, since: Date | undefined, now: Date): Stretch | undefined {
  if (host.billedFrom === null) return undefined;
  const start = new Date(host.billedFrom);
  const until = billedUntil(start, host.stoppedAt === null ? now : new Date(host.stoppedAt)).getTime();
  const from = Math.max(start.getTime(), since?.getTime() ?? 0);
  return from < until ? { host, from, until } : undefined;
}

function rowsOf(stretches: readonly Stretch[], grouping: CostGrouping): CostRow[] {
  switch (grouping.by) {
    case 'host':
      return stretches
        .map((stretch) => ({ ...hostKey(stretch.host), ...sumAndRate([stretch]) }))
        .sort((one, other) => other.usd - one.usd);
    case 'day':
      return [...groups(stretches.flatMap(byDay), ({ from }) => dayOf(from))]
        .map(([key, days]) => ({ key, ...sum(days) }))
        .sort((one, other) => (one.key < other.key ? -1 : 1));
    case 'tag':
      return [...groups(stretches, ({ host }) => JSON.stringify(tagKey(host, grouping.tag)))]
        .map(([key, group]) => ({ ...(JSON.parse(key) as ReturnType<typeof tagKey>), ...sumAndRate(group) }))
        .sort((one, other) => other.usd - one.usd);
  }
}

const hostKey = ({ name, hostId, state }: Host) => ({ key: name, hostId, state });

/** A value of the tag, or why there is none. StopTask deletes a task's tags (ECS API, StopTask). */
const tagKey = (host: Host, tag: string) => ({
  key: host.tags[tag] ?? null,
  tagsForgotten: host.tags[tag] === undefined && host.stopCode === 'UserInitiated',
});

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The period, split at every midnight UTC. */
function byDay({ host, from, until }: Stretch): Stretch[] {
  const pieces: Stretch[] = [];
  for (let start = from; start < until;) {
    const midnight = Date.parse(dayOf(start)) + HOURS_A_DAY * HOUR;
    const end = Math.min(midnight, until);
    pieces.push({ host, from: start, until: end });
    start = end;
  }
  return pieces;
}

function groups<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group === undefined) found.set(key, [item]);
    else group.push(item);
  }
  return found;
}

function sum(stretches: readonly Stretch[]) {
  const hoursOf = ({ from, until }: Stretch): number => (until - from) / HOUR;
  const total = (of: (stretch: Stretch) => number): number => stretches.reduce((so, stretch) => so + of(stretch), 0);
  return {
    hosts: new Set(stretches.map(({ host }) => host.taskArn)).size,
    hours: Math.round(total(hoursOf) * 1000) / 1000,
    usd: dollars(total((stretch) => hoursOf(stretch) * stretch.host.costUsdPerHour)),
    spot: stretches.some(({ host }) => host.spot),
  };
}

const sumAndRate = (stretches: readonly Stretch[]) => ({
  ...sum(stretches),
  usdPerHour: dollars(rate(stretches)),
});

/** The hourly cost, in US dollars, of the hosts that haven't stopped. */
const rate = (stretches: readonly Stretch[]): number =>
  stretches.reduce((so, { host }) => so + (host.stoppedAt === null ? host.costUsdPerHour : 0), 0);

const dollars = (amount: number): number => Math.round(amount * 1e6) / 1e6;
