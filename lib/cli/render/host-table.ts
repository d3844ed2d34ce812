import type { Host, TaskState } from '../../hosts/model/types';
import type { Colour } from './colour';
import { formatAddress, formatCost, formatSeconds, formatSize } from './format';
import { renderTable } from './table';

const HEADINGS = ['NAME', 'STATE', 'AGE', 'IDLE', 'SIZE', 'COST', 'ADDRESS'];

function stateStyle(state: TaskState): Colour {
  if (state === 'RUNNING') return 'green';
  return state === 'STOPPED' ? 'dim' : 'yellow';
}

/** ECS's state; a running task that isn't set up yet says so. */
export const stateText = ({ state, ready }: Host): string =>
  state === 'RUNNING' && !ready ? 'RUNNING (starting)' : state;

/** Why a stopped host stopped, on one line. */
export function stopReason(host: Host): string | undefined {
  if (host.state !== 'STOPPED' && host.stoppedReason === null) return undefined;
  const exit = host.exitCode === null ? undefined : `exit code ${host.exitCode}`;
  const parts = [host.stoppedReason ?? undefined, host.containerReason ?? undefined, exit].filter(
    (part) => part !== undefined,
  );
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** Seconds that a host has lived, until now or until it stopped. */
export function ageSeconds(host: Host, now: Date): number {
  const end = host.stoppedAt === null ? now : new Date(host.stoppedAt);
  return (end.getTime() - new Date(host.createdAt).getTime()) / 1000;
}

/** The table of `list`; a sentence for an empty fleet. */
export function hostTable(
  hosts: readonly (Host & { readonly idleSeconds: number | null })[],
  now: Date,
  colour: boolean,
): string {
  if (hosts.length === 0) return 'no hosts\n';
  const rows = hosts.map((host) => [
    host.name,
    colour ? { text: stateText(host), colour: stateStyle(host.state) } : stateText(host),
    formatSeconds(ageSeconds(host, now)),
    host.idleSeconds === null ? '-' : formatSeconds(host.idleSeconds),
    formatSize(host) + (host.spot ? ', spot' : ''),
    formatCost(host.costUsd),
    stopReason(host) ?? formatAddress(host.address),
  ]);
  return renderTable([HEADINGS, ...rows]);
}
