import { SandboxApiError } from '../client';
import { button, h } from './dom';

const SHOWN_MS = 8000;

/** Shows a message at the edge of the page, which screen readers read out. */
export function say(text: string, kind: 'info' | 'error' = 'info'): void {
  const place = document.getElementById('messages') as HTMLElement;
  const message: HTMLElement = h(
    'div',
    { class: `message ${kind}` },
    h('span', {}, text),
    button('×', () => message.remove(), 'plain', { 'aria-label': 'Dismiss' }),
  );
  place.append(message);
  setTimeout(() => message.remove(), SHOWN_MS);
}

export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'something failed';
  const suggestion = error instanceof SandboxApiError ? error.suggestion : undefined;
  return suggestion === undefined ? error.message : `${error.message}: ${suggestion}`;
};

export const sayProblem = (error: unknown): void => say(textOf(error), 'error');
