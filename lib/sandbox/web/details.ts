import type { Leave } from './app';
import { fill, h } from './dom';
import { clock, dollars, span } from './format';
import type { Diagnostics } from './model';
import type { TabOptions } from './sandbox';

const REFRESH_MS = 5000;

/** What the service knows about the sandbox: useful when it doesn't start, or has stopped. */
export function detailsTab(place: HTMLElement, { api, id, onProblem }: TabOptions): Leave {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;
  fill(place, h('p', { class: 'quiet' }, 'Loading…'));
  const loop = async (): Promise<void> => {
    try {
      const found = await api.diagnostics(id);
      if (gone) return;
      fill(place, ...parts(found));
    } catch (error) {
      if (gone) return;
      onProblem(error);
    }
    if (!gone) timer = setTimeout(() => void loop(), REFRESH_MS);
  };
  void loop();
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}

function parts(found: Diagnostics): HTMLElement[] {
  const { session, cost } = found;
  const requested = found.stages.requested ?? session.created_at;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Created', clock(session.created_at)],
    ['Last used', clock(session.last_active_at)],
    ['Ends after', `${span(session.ttl_seconds * 1000)} without use`],
    ['Size', `${session.cpu / 1024} vCPU, ${session.memory} MiB`],
    ['Image', session.image],
    ['Cost', `${dollars(cost.usd)} so far, ${dollars(cost.usd_per_hour)} an hour`],
    ['Task', found.task_arn],
    ['Task state', found.task_state],
    ['Stop code', found.stop_code],
    ['Stopped because', found.stopped_reason],
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
    found.log_lines.length === 0
      ? h('p', { class: 'quiet' }, 'None.')
      : h('pre', { class: 'output', tabindex: 0 }, found.log_lines.map(({ message }) => message).join('\n')),
  ];
}
