import type { Api } from './api';
import type { Leave } from './app';
import { confirmDialog, formDialog } from './dialogs';
import { button, fill, h } from './dom';
import { dollars, span } from './format';
import { say } from './messages';
import type { Session } from './model';

const REFRESH_MS = 3000;

export interface ViewOptions {
  readonly api: Api;
  readonly onProblem: (error: unknown) => void;
}

/** The list of sandboxes. */
export function sessionsView(place: HTMLElement, { api, onProblem }: ViewOptions): Leave {
  const list = h('div', { class: 'list', 'aria-busy': 'true' }, h('p', { class: 'quiet' }, 'Loading…'));
  const costs = new Map<string, string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;
  let shown = '';

  const create = (): void => {
    const values = formDialog('New sandbox', 'Create', [
      { name: 'id', label: 'Name', hint: 'Leave it empty for a random one.' },
      { name: 'ttl', label: 'Minutes without use until it ends', type: 'number', value: '30', min: '1' },
    ]);
    void values
      .then(async (given) => {
        if (given === undefined) return;
        const id = given.id?.trim() ?? '';
        const created = await api.create({
          ...(id === '' ? {} : { id }),
          ttl_seconds: Math.round(Number(given.ttl) * 60),
        });
        location.hash = `#/${encodeURIComponent(created.id)}`;
      }, onProblem)
      .catch(onProblem);
  };

  const destroy = async (id: string): Promise<void> => {
    const text = 'Its processes and files are gone then. The history of its commands stays for a while.';
    if (!(await confirmDialog(`Destroy ${id}?`, text, 'Destroy'))) return;
    await api.destroy(id);
    say(`${id} is destroyed`);
    await refresh();
  };

  const row = (session: Session): HTMLElement => {
    const { id } = session;
    return h(
      'li',
      { class: 'row' },
      h(
        'a',
        { class: 'row-main', href: `#/${encodeURIComponent(id)}` },
        h('span', { class: 'row-title' }, id),
        h('span', { class: `state ${stateOf(session)}` }, stateOf(session)),
        h('span', { class: 'quiet facts' }, ...factsOf(session, costs.get(id)).map((fact) => h('span', {}, fact))),
      ),
      button('Destroy', () => void destroy(id).catch(onProblem), 'plain danger', { 'aria-label': `Destroy ${id}` }),
    );
  };

  const draw = (sessions: readonly Session[]): void => {
    const key = JSON.stringify(
      sessions.map((session) => [session.id, stateOf(session), factsOf(session, costs.get(session.id))]),
    );
    list.setAttribute('aria-busy', 'false');
    // Nothing is touched that looks the same, so that focus and selection stay.
    if (key === shown) return;
    shown = key;
    const focused = (document.activeElement as HTMLElement | null)?.closest('li') ? focusOf(list) : undefined;
    fill(list, sessions.length === 0 ? empty(create) : h('ul', {}, ...sessions.map(row)));
    focused?.();
  };

  const refresh = async (): Promise<void> => {
    const sessions = await api.sessions();
    if (gone) return;
    draw(sessions);
    await Promise.all(
      sessions.map(async ({ id }) => {
        const { usd } = await api.cost(id).catch(() => ({ usd: null }));
        if (usd !== null) costs.set(id, dollars(usd));
      }),
    );
    if (!gone) draw(sessions);
  };

  const loop = async (): Promise<void> => {
    await refresh().catch((error: unknown) => {
      if (gone) return;
      list.setAttribute('aria-busy', 'false');
      onProblem(error);
    });
    if (!gone) timer = setTimeout(() => void loop(), REFRESH_MS);
  };

  fill(place, h('div', { class: 'title' }, h('h1', {}, 'Sandboxes'), button('New sandbox', create, 'primary')), list);
  void loop();
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}

export const stateOf = ({ status, ready }: Session): string => (status === 'active' && !ready ? 'starting' : status);

function factsOf(session: Session, cost: string | undefined): string[] {
  const now = Date.now();
  const left = session.expires_at - now;
  const facts = [`${coarse(now - session.created_at)} old`];
  if (session.status === 'active') facts.push(left > 0 ? `ends after ${coarse(left)} without use` : 'ends now');
  if (cost !== undefined) facts.push(`${cost} so far`);
  return facts;
}

/** Without seconds, so that the list isn't redrawn each time. */
const coarse = (milliseconds: number): string =>
  milliseconds < 60_000 ? 'less than a minute' : span(Math.floor(milliseconds / 60_000) * 60_000).replace(/ 0 s$/, '');

const empty = (create: () => void): HTMLElement =>
  h(
    'div',
    { class: 'card empty' },
    h('h2', {}, 'No sandboxes yet'),
    h(
      'p',
      { class: 'quiet' },
      'A sandbox is a small machine of its own: run commands in it, edit its files, open a terminal.',
    ),
    button('Create the first', create, 'primary'),
  );

/** Gives the focus back to what has the same place after the list was drawn again. */
function focusOf(list: Element): () => void {
  const focusable = (): HTMLElement[] => [...list.querySelectorAll<HTMLElement>('a, button')];
  const index = focusable().indexOf(document.activeElement as HTMLElement);
  return () => focusable()[index]?.focus();
}
