import { MngrFargateError } from '../../contract/errors';
import { formatSeconds } from '../render/format';

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** What a duration may be, in seconds. */
export interface DurationLimits {
  /** Default 1. */
  readonly least?: number;
  /** Default ten years. */
  readonly most?: number;
}

/** Seconds. */
const TEN_YEARS = 3650 * 86_400;

/** For durations that this process waits for: Node's timers take no more than 2^31 - 1 milliseconds. */
export const WAITED_FOR: DurationLimits = { most: 24 * 86_400 };

/** `90`, `90s`, `30m`, `2h`, `1h30m`, `7d`, `1w` in seconds; a bare number is seconds. Throws `usage`. */
export function parseDuration(text: string, option: string, limits: DurationLimits = {}): number {
  const { least = 1, most = TEN_YEARS } = limits;
  const seconds = secondsOf(text);
  if (seconds === undefined) {
    throw new MngrFargateError('usage', `${option} takes a duration, not ${JSON.stringify(text)}`, {
      hint: 'write it like 90s, 30m, 2h, 1h30m or 7d',
    });
  }
  if (seconds >= least && seconds <= most) return seconds;
  const allowed = `between ${formatSeconds(least)} and ${formatSeconds(most)}`;
  throw new MngrFargateError('usage', `${option} must be ${allowed}, not ${JSON.stringify(text)}`);
}

function secondsOf(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (SECONDS_OF[unit ?? 's'] ?? 1), 0));
}

/** A duration, or `never` (and `0`), which is 0. */
export const parseDurationOrNever = (text: string, option: string): number =>
  text === 'never' ? 0 : parseDuration(text, option, { least: 0 });

/** A point in time from 1970 on: a duration before `now`, or an ISO 8601 date and time. */
export function parseSince(text: string, now: Date, option = '--since'): Date {
  const date = /^\d{4}-\d{2}-\d{2}/.test(text)
    ? new Date(text)
    : new Date(now.getTime() - parseDuration(text, option) * 1000);
  if (date.getTime() >= 0) return date;
  throw new MngrFargateError('usage', `${option} takes a duration or an ISO 8601 time, not ${JSON.stringify(text)}`, {
    hint: 'write it like 30m, 6h or 2026-11-20T10:00:00Z',
  });
}
