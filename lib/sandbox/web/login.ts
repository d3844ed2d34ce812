import { fill, h } from './dom';
import { textOf } from './messages';

/** Asks for the key. It goes from here into a header, never into a URL. */
export function loginView(logIn: (key: string) => Promise<void>): HTMLElement {
  const problem = h('p', { class: 'problem', role: 'alert' });
  const key = h('input', {
    id: 'key',
    name: 'key',
    type: 'password',
    required: true,
    autocomplete: 'current-password',
    autofocus: true,
    spellcheck: 'false',
    'aria-describedby': 'key-help',
  });
  const submit = h('button', { type: 'submit', class: 'primary' }, 'Log in');
  const form = h(
    'form',
    {
      class: 'card login',
      onsubmit: (event) => {
        event.preventDefault();
        submit.disabled = true;
        fill(problem);
        logIn(key.value.trim())
          .catch((error: unknown) => {
            fill(problem, textOf(error));
            key.select();
          })
          .finally(() => (submit.disabled = false));
      },
    },
    h('img', { src: 'icon.svg', alt: '', width: 48, height: 48 }),
    h('h1', {}, 'Sandboxes'),
    h('label', { for: 'key' }, 'Key'),
    key,
    h('p', { id: 'key-help', class: 'quiet' }, 'The service printed one when it started. It is kept in this tab only.'),
    problem,
    submit,
  );
  return h('main', { class: 'middle' }, form);
}
