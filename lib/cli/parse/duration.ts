import { MngrFargateError } from '../../contract/errors';

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `90`, `90s`, `30m`, `2h`, `1h30m`, `7d`, `1w` in seconds; a bare number is seconds. */
export function parseDuration(text: string, option: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new MngrFargateError('usage', `${option} takes a duration, not ${JSON.stringify(text)}`, {
      hint: 'write it like 90s, 30m, 2h, 1h30m or 7d',
    });
  }
  return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (SECONDS_OF[unit ?? 's'] ?? 1), 0));
}

/** A duration, or `never` (and `0`), which is 0. */
export const parseDurationOrNever = (text: string, option: string): number =>
  text === 'never' ? 0 : parseDuration(text, option);

/** A point in time: a duration before `now`, or an ISO 8601 date and time. */
export function parseSince(text: string, now: Date): Date {
  const date = /^\d{4}-\d{2}-\d{2}/.test(text)
    ? new Date(text)
    : new Date(now.getTime() - parseDuration(text, '--since') * 1000);
  if (!Number.isNaN(date.getTime())) return date;
  throw new MngrFargateError('usage', `--since takes a duration or an ISO 8601 time, not ${JSON.stringify(text)}`);
}
