import { MngrFargateError } from '../../contract/errors';

const UNITS_PER_VCPU = 1024;
const MIB_PER_GIB = 1024;
/** Fargate's largest task has 16 vCPU and its smallest 256 units, so a number up to 16 can only mean vCPU. */
const MOST_VCPU = 16;
/** Fargate's largest task has 120 GiB and its smallest 512 MiB, so a number up to 120 can only mean GiB. */
const MOST_GIB = 120;

const usage = (option: string, text: string, allowed: string): MngrFargateError =>
  new MngrFargateError('usage', `${option} takes ${allowed}, not ${JSON.stringify(text)}`);

/** CPU units of `1024`, `1vcpu`, `0.5vcpu`, `1`. */
export function parseCpu(text: string): number {
  const match = /^(\d*\.?\d+) ?(vcpu|)$/i.exec(text);
  if (match === null) throw usage('--cpu', text, 'CPU units such as 1024, or vCPU such as 1vcpu');
  const amount = Number(match[1]);
  return match[2] !== '' || amount <= MOST_VCPU ? amount * UNITS_PER_VCPU : amount;
}

/** MiB of `4096`, `4096MiB`, `4GB`, `4g`, `4`. As everywhere at Fargate, a GB is 1024 MiB. */
export function parseMemory(text: string): number {
  const match = /^(\d*\.?\d+) ?(mi?b?|gi?b?|)$/i.exec(text);
  if (match === null) throw usage('--memory', text, 'MiB such as 4096, or GB such as 4GB');
  const amount = Number(match[1]);
  const unit = match[2]?.toLowerCase() ?? '';
  return unit.startsWith('g') || (unit === '' && amount <= MOST_GIB) ? amount * MIB_PER_GIB : amount;
}

/** GiB of `50`, `50GB`. */
export function parseStorage(text: string): number {
  const match = /^(\d+) ?(?:gi?b?)?$/i.exec(text);
  if (match === null) throw usage('--ephemeral-storage', text, 'GiB such as 50');
  return Number(match[1]);
}

/** A whole number of at least `least`. */
export function parseCount(text: string, option: string, least = 0): number {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw usage(option, text, `a whole number of at least ${least}`);
}
