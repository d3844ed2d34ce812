import type { Api } from './api';
import type { Leave } from './app';
import { commandsTab } from './commands';
import { detailsTab } from './details';
import { confirmDialog } from './dialogs';
import { button, fill, h } from './dom';
import { filesTab } from './files';
import { dollars, span } from './format';
import { say } from './messages';
import type { Session } from './model';
import { stateOf } from './sessions';
import { terminalTab } from './terminal';

const REFRESH_MS = 2000;

export interface TabOptions {
  readonly api: Api;
  readonly id: string;
  readonly onProblem: (error: unknown) => void;
}

const TABS: readonly {
  readonly name: string;
  readonly label: string;
  readonly show: (place: HTMLElement, options: TabOptions) => Leave;
}[] = [
  { name: 'terminal', label: 'Terminal', show: terminalTab },
  { name: 'commands', label: 'Commands', show: commandsTab },
  { name: 'files', label: 'Files', show: filesTab },
  { name: 'details', label: 'Details', show: detailsTab },
];

/** One sandbox: its state, and tabs for what one does with it. */
export function sandboxView(place: HTMLElement, options: TabOptions & { readonly tab: string }): Leave {
  const { api, id, tab, onProblem } = options;
  const current = TABS.find(({ name }) => name === tab) ?? (TABS[0] as (typeof TABS)[number]);
  const state = h('span', { class: 'state' });
  const facts = h('p', { class: 'quiet facts' });
  const panel = h('section', {
    class: `panel ${current.name}`,
    role: 'tabpanel',
    'aria-labelledby': `tab-${current.name}`,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;

  const destroy = async (): Promise<void> => {
    const text = 'Its processes and files are gone then. The history of its commands stays for a while.';
    if (!(await confirmDialog(`Destroy ${id}?`, text, 'Destroy'))) return;
    await api.destroy(id);
    say(`${id} is destroyed`);
    location.hash = '';
  };

  const draw = (session: Session, cost: string | undefined): void => {
    const name = stateOf(session);
    state.className = `state ${name}`;
    state.textContent = name;
    const now = Date.now();
    const texts = [`${span((session.destroyed_at ?? now) - session.created_at)} old`];
    if (session.status === 'active')
      texts.push(`ends after ${span(Math.max(0, session.expires_at - now))} without use`);
    if (session.end_reason !== null) texts.push(`ended: ${session.end_reason}`);
    if (cost !== undefined) texts.push(`${cost} so far`);
    fill(facts, ...texts.map((text) => h('span', {}, text)));
  };

  const loop = async (): Promise<void> => {
    try {
      const [session, cost] = await Promise.all([api.session(id), api.cost(id).catch(() => undefined)]);
      if (gone) return;
      draw(session, cost === undefined ? undefined : dollars(cost.usd));
    } catch (error) {
      if (gone) return;
      onProblem(error);
    }
    if (!gone) timer = setTimeout(() => void loop(), REFRESH_MS);
  };

  const link = ({ name, label }: (typeof TABS)[number]): HTMLElement =>
    h(
      'a',
      {
        id: `tab-${name}`,
        role: 'tab',
        href: `#/${encodeURIComponent(id)}/${name}`,
        'aria-selected': String(name === current.name),
        tabindex: name === current.name ? 0 : -1,
        onkeydown: moveAlong,
      },
      label,
    );

  fill(
    place,
    h(
      'div',
      { class: 'title' },
      h(
        'div',
        { class: 'name' },
        h('a', { href: '#', 'aria-label': 'All sandboxes', class: 'back' }, '←'),
        h('h1', {}, id),
        state,
      ),
      button('Destroy', () => void destroy().catch(onProblem), 'danger'),
    ),
    facts,
    h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Sandbox' }, ...TABS.map(link)),
    panel,
  );
  void loop();
  const leaveTab = current.show(panel, { api, id, onProblem });
  return () => {
    gone = true;
    clearTimeout(timer);
    leaveTab();
  };
}

/** Arrow keys move along the tabs, as the ARIA practices have it. */
function moveAlong(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const tabs = [...((event.currentTarget as HTMLElement).parentElement as HTMLElement).children] as HTMLElement[];
  const next = tabs[(tabs.indexOf(event.currentTarget as HTMLElement) + step + tabs.length) % tabs.length];
  event.preventDefault();
  next?.focus();
}
