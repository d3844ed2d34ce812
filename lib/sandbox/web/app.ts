import { SandboxClient, UnauthorizedError } from '../client';
import { button, fill, h } from './dom';
import { loginView } from './login';
import { sandboxView } from './sandbox';
import { sessionsView } from './sessions';
import { sayProblem } from './messages';

/** What shows one page, until the page changes. */
export type Leave = () => void;

const KEY = 'sandbox-key';
const root = document.getElementById('app') as HTMLElement;
let leave: Leave = () => undefined;

/** For this tab alone, and gone with it. */
const savedKey = (): string | null => sessionStorage.getItem(KEY);

/** A page that stays open comes back to its streams whenever the service does. */
const clientWith = (key: string): SandboxClient => new SandboxClient({ url: location.origin, key, resumeMs: Infinity });

function show(): void {
  leave();
  leave = () => undefined;
  const key = savedKey();
  if (key === null) {
    document.title = 'Log in – Sandboxes';
    fill(root, loginView(logIn));
    return;
  }
  const client = clientWith(key);
  const main = h('main', { id: 'main', tabindex: -1 });
  fill(root, h('a', { class: 'skip', href: '#main', onclick: skip }, 'Skip to the content'), header(), main);
  const [, id, tab = 'terminal'] = location.hash.slice(1).split('/').map(decodeURIComponent);
  document.title = id ? `${id} – Sandboxes` : 'Sandboxes';
  leave = id ? sandboxView(main, { client, id, tab, onProblem }) : sessionsView(main, { client, onProblem });
}

/** The page's address is its state, so the link must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

async function logIn(key: string): Promise<void> {
  await clientWith(key).list().next();
  sessionStorage.setItem(KEY, key);
  show();
}

function logOut(): void {
  sessionStorage.removeItem(KEY);
  location.hash = '';
  show();
}

/** A key that has been revoked leads back to the login. */
function onProblem(error: unknown): void {
  if (error instanceof UnauthorizedError) logOut();
  sayProblem(error);
}

const header = (): HTMLElement =>
  h(
    'header',
    { class: 'top' },
    h('a', { href: '#', class: 'brand' }, h('img', { src: 'icon.svg', alt: '', width: 24, height: 24 }), 'Sandboxes'),
    button('Log out', logOut, 'plain'),
  );

addEventListener('hashchange', show);
show();
