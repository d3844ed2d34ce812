import type { ApiSession, Sandbox, SandboxClient } from '../client';
import type { Leave } from './app';
import { commandsTab } from './commands';
import { detailsTab } from './details';
import { destroyAsked } from './destroy';
import { button, fill, h } from './dom';
import { filesTab } from './files';
import { dollars, span } from './format';
import { repeat } from './repeat';
import { stateOf } from './sessions';
import { terminalTab } from './terminal';

const REFRESH_MS = 2000;

export interface TabOptions {
  readonly box: Sandbox;
  readonly onProblem: (error: unknown) => void;
}

export interface SandboxOptions {
  readonly client: SandboxClient;
  readonly id: string;
  /** Name of the tab that is shown. */
  readonly tab: string;
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
export function sandboxView(place: HTMLElement, { client, id, tab, onProblem }: SandboxOptions): Leave {
  const current = TABS.find(({ name }) => name === tab) ?? (TABS[0] as (typeof TABS)[number]);
  const state = h('span', { class: 'state' });
  const facts = h('p', { class: 'quiet facts' });
  const panel = h('section', {
    class: `panel ${current.name}`,
    role: 'tabpanel',
    'aria-labelledby': `tab-${current.name}`,
  });
  let box: Sandbox | undefined;
  let leaveTab: Leave = () => undefined;

  const destroy = async (): Promise<void> => {
    if (await destroyAsked(box ?? (await client.connect(id)))) location.hash = '';
  };

  const draw = (session: ApiSession, cost: string | undefined): void => {
    const name = stateOf(session);
    state.className = `state ${name}`;
    state.textContent = name;
    const now = Date.now();
    const texts = [`${span((session.destroyedAt ?? now) - session.createdAt)} old`];
    if (session.status === 'active') texts.push(`ends after ${span(Math.max(0, session.expiresAt - now))} without use`);
    if (session.endReason !== null) texts.push(`ended: ${session.endReason}`);
    if (cost !== undefined) texts.push(`${cost} so far`);
    fill(facts, ...texts.map((text) => h('span', {}, text)));
  };

  const look = async (isLeft: () => boolean): Promise<void> => {
    if (box === undefined) {
      const found = await client.connect(id);
      if (isLeft()) return;
      box = found;
      leaveTab = current.show(panel, { box, onProblem });
    } else await box.refresh();
    const cost = await box.cost().catch(() => undefined);
    if (!isLeft()) draw(box.info, cost === undefined ? undefined : dollars(cost.usd));
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
  const leaveLoop = repeat(REFRESH_MS, look, onProblem);
  return () => {
    leaveLoop();
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
