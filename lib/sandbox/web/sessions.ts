import type { ApiSession, Sandbox, SandboxClient } from '../client';
import type { Leave } from './app';
import { destroyAsked } from './destroy';
import { formDialog } from './dialogs';
import { button, fill, h } from './dom';
import { dollars, span } from './format';
import { repeat } from './repeat';

const REFRESH_MS = 3000;

export interface ViewOptions {
  readonly client: SandboxClient;
  readonly onProblem: (error: unknown) => void;
}

/** The list of sandboxes. */
export function sessionsView(place: HTMLElement, { client, onProblem }: ViewOptions): Leave {
  const list = h('div', { class: 'list', 'aria-busy': 'true' }, h('p', { class: 'quiet' }, 'Loading…'));
  const costs = new Map<string, string>();
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
        const created = await client.create({
          id: id === '' ? undefined : id,
          ttlSeconds: Math.round(Number(given.ttl) * 60),
          wait: false,
        });
        location.hash = `#/${encodeURIComponent(created.id)}`;
      }, onProblem)
      .catch(onProblem);
  };

  const destroy = async (box: Sandbox): Promise<void> => {
    if (await destroyAsked(box)) await refresh(() => false);
  };

  const row = (box: Sandbox): HTMLElement => {
    const { id, info: session } = box;
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
      button('Destroy', () => void destroy(box).catch(onProblem), 'plain danger', { 'aria-label': `Destroy ${id}` }),
    );
  };

  const draw = (boxes: readonly Sandbox[]): void => {
    const key = JSON.stringify(boxes.map(({ id, info }) => [id, stateOf(info), factsOf(info, costs.get(id))]));
    // Nothing is touched that looks the same, so that focus and selection stay.
    if (key === shown) return;
    shown = key;
    const focused = (document.activeElement as HTMLElement | null)?.closest('li') ? focusOf(list) : undefined;
    fill(list, boxes.length === 0 ? empty(create) : h('ul', {}, ...boxes.map(row)));
    focused?.();
  };

  const refresh = async (isLeft: () => boolean): Promise<void> => {
    const boxes: Sandbox[] = [];
    try {
      for await (const box of client.list()) boxes.push(box);
    } finally {
      list.setAttribute('aria-busy', 'false');
    }
    if (isLeft()) return;
    draw(boxes);
    await Promise.all(
      boxes.map(async (box) => {
        const cost = await box.cost().catch(() => undefined);
        if (cost !== undefined) costs.set(box.id, dollars(cost.usd));
      }),
    );
    if (!isLeft()) draw(boxes);
  };

  fill(place, h('div', { class: 'title' }, h('h1', {}, 'Sandboxes'), button('New sandbox', create, 'primary')), list);
  return repeat(REFRESH_MS, refresh, onProblem);
}

export const stateOf = ({ status, ready }: ApiSession): string => (status === 'active' && !ready ? 'starting' : status);

function factsOf(session: ApiSession, cost: string | undefined): string[] {
  const now = Date.now();
  const left = session.expiresAt - now;
  const facts = [`${coarse(now - session.createdAt)} old`];
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
