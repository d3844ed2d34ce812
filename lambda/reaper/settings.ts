import { REAPER_DEFAULTS, REAPER_ENVIRONMENT } from '../../lib/contract/reaper';
import type { ReaperRules } from '../../lib/hosts/reaping/rules';
import { defaultRules } from '../../lib/hosts/reaping/rules';

export interface ReaperSettings {
  readonly cluster: string;
  readonly region: string;
  readonly rules: ReaperRules;
  readonly dryRun: boolean;
  readonly revisions: boolean;
  readonly publicIp: boolean;
}

/** The function's settings. Throws an error that names the missing or malformed variable. */
export function readSettings(environment: NodeJS.ProcessEnv): ReaperSettings {
  const names = REAPER_ENVIRONMENT;
  const text = (name: string): string => {
    const value = environment[name];
    if (!value) throw new Error(`${name} is not set: the reaper's construct sets it`);
    return value;
  };
  const seconds = (name: string, otherwise: number): number => {
    const value = environment[name] ?? String(otherwise);
    if (!/^\d{1,9}$/.test(value)) throw new Error(`${name} must be a whole number of seconds, not ${value}`);
    return Number(value);
  };
  const flag = (name: string): boolean => environment[name] === 'true';
  const family = text(names.family);
  return {
    cluster: text(names.cluster),
    region: text('AWS_REGION'),
    rules: {
      ...defaultRules(family),
      stopUntagged: flag(names.stopUntagged),
      expiryGrace: seconds(names.expiryGrace, REAPER_DEFAULTS.expiryGrace),
      readyTimeout: seconds(names.readyTimeout, REAPER_DEFAULTS.readyTimeout),
    },
    dryRun: flag(names.dryRun),
    revisions: flag(names.revisions),
    publicIp: flag(names.publicIp),
  };
}
