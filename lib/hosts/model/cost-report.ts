import { billedUntil, DEFAULT_PRICE_REGION, hasOwnPrices, PRICES_AS_OF } from './cost';
import type { Host } from './types';

/** Older hosts are gone from ECS, and with them what they cost. */
const COVERS = 'hosts that run, and hosts that stopped within about an hour';

const HOUR = 3_600_000;
const HOURS_A_DAY = 24;
/** What AWS's own calculator takes a month for. */
const HOURS_A_MONTH = 730;

export type CostGrouping =
  { readonly by: 'host' } | { readonly by: 'day' } | { readonly by: 'tag'; readonly tag: string };

/** What one host, day or value of a tag costs. */
export interface CostRow {
  /** The host's name, the day (`2026-11-21`, UTC), or the tag's value; null for hosts without the tag. */
  readonly key: string | null;
  /** Set where rows are hosts. */
  readonly hostId?: string;
  readonly state?: Host['state'];
  /** True where ECS has forgotten the tags, as it does when a task is stopped; the value may have been any. */
  readonly tagsForgotten?: boolean;
  readonly hosts: number;
  /** Hours that are billed of them, together. */
  readonly hours: number;
  readonly usd: number;
  /** What those of them cost an hour that haven't stopped. Not for days. */
  readonly usdPerHour?: number;
  /** True where Fargate Spot is among them, whose price moves: the figures are rougher. */
  readonly spot: boolean;
}

/** US dollars are rounded to a millionth, hours to a thousandth, each figure by itself. */
export interface CostReport {
  readonly currency: 'USD';
  /** Month of the price list. */
  readonly pricesAsOf: string;
  /** Region of the hosts, and the one whose prices were taken; null without hosts. */
  readonly region: string | null;
  readonly pricesOf: string | null;
  readonly covers: typeof COVERS;
  readonly by: CostGrouping['by'];
  /** Key of the tag that rows are of. */
  readonly tag: string | null;
  /** Nothing before it is counted; null for the hosts' whole lives. */
  readonly since: string | null;
  readonly until: string;
  readonly rows: readonly CostRow[];
  readonly total: Pick<CostRow, 'hosts' | 'hours' | 'usd' | 'spot'>;
  /** What the hosts that run now would cost if they all went on. */
  readonly projected: { readonly usdPerHour: number; readonly usdPerDay: number; readonly usdPerMonth: number };
}

/** A stretch of a host's billed time, in milliseconds. */
interface Stretch {
  readonly host: Host;
  readonly from: number;
  readonly until: number;
}

/**
 * Splits the estimated cost of hosts by host, tag or day (UTC). It can say nothing of hosts that it isn't given: ECS
 * shows those that run and those that stopped within about an hour.
 *
 * @param since counts nothing before it
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

/** Undefined for a host that nothing is billed for in the time asked about. */
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

/** The stretch, cut at every midnight UTC. */
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

/** US dollars an hour of the hosts that haven't stopped. */
const rate = (stretches: readonly Stretch[]): number =>
  stretches.reduce((so, { host }) => so + (host.stoppedAt === null ? host.costUsdPerHour : 0), 0);

const dollars = (amount: number): number => Math.round(amount * 1e6) / 1e6;
