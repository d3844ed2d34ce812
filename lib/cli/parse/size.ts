import { MngrFargateError } from '../../contract/errors';
import { ephemeralStorageProblem } from '../../contract/fargate-sizes';

const UNITS_PER_VCPU = 1024;
const MIB_PER_GIB = 1024;
/** Fargate's largest task has 16 vCPU and its smallest 256 units, so a number up to 16 can only mean vCPU. */
const MOST_VCPU = 16;
/** Fargate's largest task has 120 GiB and its smallest 512 MiB, so a number up to 120 can only mean GiB. */
const MOST_GIB = 120;

/** Fargate's smallest and largest task. Which sizes go together is for the launcher to check. */
const CPU_UNITS = [256, 16_384] as const;
const MEMORY_MIB = [512, 122_880] as const;

function within(value: number, [least, most]: readonly [number, number], problem: () => MngrFargateError): number {
  if (value >= least && value <= most) return value;
  throw problem();
}

const usage = (option: string, text: string, allowed: string): MngrFargateError =>
  new MngrFargateError('usage', `${option} takes ${allowed}, not ${JSON.stringify(text)}`);

/** CPU units of `1024`, `1vcpu`, `0.5vcpu`, `1`. */
export function parseCpu(text: string): number {
  const match = /^(\d*\.?\d+) ?(vcpu|)$/i.exec(text);
  if (match === null) throw usage('--cpu', text, 'CPU units such as 1024, or vCPU such as 1vcpu');
  const amount = Number(match[1]);
  const units = match[2] !== '' || amount <= MOST_VCPU ? amount * UNITS_PER_VCPU : amount;
  return within(units, CPU_UNITS, () => usage('--cpu', text, 'from 0.25vcpu (256 units) to 16vcpu'));
}

/** MiB of `4096`, `4096MiB`, `4GB`, `4g`, `4`. As everywhere at Fargate, a GB is 1024 MiB. */
export function parseMemory(text: string): number {
  const match = /^(\d*\.?\d+) ?(mi?b?|gi?b?|)$/i.exec(text);
  if (match === null) throw usage('--memory', text, 'MiB such as 4096, or GB such as 4GB');
  const amount = Number(match[1]);
  const unit = match[2]?.toLowerCase() ?? '';
  const mib = unit.startsWith('g') || (unit === '' && amount <= MOST_GIB) ? amount * MIB_PER_GIB : amount;
  return within(mib, MEMORY_MIB, () => usage('--memory', text, 'from 512MiB to 120GB'));
}

/** GiB of `50`, `50GB`. */
export function parseStorage(text: string): number {
  const match = /^(\d+) ?(?:gi?b?)?$/i.exec(text);
  if (match === null) throw usage('--ephemeral-storage', text, 'GiB such as 50');
  const problem = ephemeralStorageProblem(Number(match[1]));
  if (problem === undefined) return Number(match[1]);
  throw new MngrFargateError('usage', `--ephemeral-storage: ${problem}`);
}

/** A whole number from `least` to `most`. */
export function parseCount(text: string, option: string, { least, most }: { least: number; most: number }): number {
  if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw usage(option, text, `a whole number from ${least} to ${most}`);
}
