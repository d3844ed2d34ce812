import type { ApiDiagnostics } from '../client';
import type { Leave } from './app';
import { fill, h } from './dom';
import { clock, dollars, span } from './format';
import { repeat } from './repeat';
import type { TabOptions } from './sandbox';

const REFRESH_MS = 5000;

/** What the service knows about the sandbox: useful when it doesn't start, or has stopped. */
export function detailsTab(place: HTMLElement, { box, onProblem }: TabOptions): Leave {
  fill(place, h('p', { class: 'quiet' }, 'Loading…'));
  const look = async (isLeft: () => boolean): Promise<void> => {
    const found = await box.diagnostics();
    if (!isLeft()) fill(place, ...parts(found));
  };
  return repeat(REFRESH_MS, look, onProblem);
}

function parts(found: ApiDiagnostics): HTMLElement[] {
  const { session, cost } = found;
  const requested = found.stages.requested ?? session.createdAt;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Created', clock(session.createdAt)],
    ['Last used', clock(session.lastActiveAt)],
    ['Ends after', `${span(session.ttlSeconds * 1000)} without use`],
    ['Size', `${session.cpu / 1024} vCPU, ${session.memory} MiB`],
    ['Image', session.image],
    ['Cost', `${dollars(cost.usd)} so far, ${dollars(cost.usdPerHour)} an hour`],
    ['Task', found.taskArn],
    ['Task state', found.taskState],
    ['Stop code', found.stopCode],
    ['Stopped because', found.stoppedReason],
    ['Problem', found.problem],
    ...Object.entries(session.metadata).map(([name, value]) => [name, JSON.stringify(value)] as const),
  ];
  const stages = Object.entries(found.stages).sort(([, a], [, b]) => a - b);
  return [
    h('h2', {}, 'Facts'),
    h(
      'dl',
      { class: 'facts-list' },
      ...facts.flatMap(([name, value]) => (value === null ? [] : [h('dt', {}, name), h('dd', {}, value)])),
    ),
    h('h2', {}, 'How it started'),
    h(
      'ol',
      { class: 'stages' },
      ...stages.map(([name, at]) =>
        h('li', {}, h('span', {}, name), h('span', { class: 'quiet' }, `after ${span(at - requested)}`)),
      ),
    ),
    h('h2', {}, 'Last log lines'),
    found.logLines.length === 0
      ? h('p', { class: 'quiet' }, 'None.')
      : h('pre', { class: 'output', tabindex: 0 }, found.logLines.map(({ message }) => message).join('\n')),
  ];
}
