import { button, h } from './dom';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly type?: string;
  readonly value?: string;
  readonly min?: string;
}

/** A modal form. The values by name; undefined if it was cancelled. */
export function formDialog(
  title: string,
  action: string,
  fields: readonly Field[],
  look = 'primary',
  ...text: readonly HTMLElement[]
): Promise<Readonly<Record<string, string>> | undefined> {
  return new Promise((resolve) => {
    const form = h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, title),
      ...text,
      ...fields.map(({ name, label, hint, type = 'text', value = '', min }) =>
        h(
          'label',
          {},
          label,
          h('input', { name, type, value, min, autocomplete: 'off', spellcheck: 'false' }),
          hint !== undefined && h('span', { class: 'quiet' }, hint),
        ),
      ),
      h(
        'div',
        { class: 'actions' },
        button('Cancel', () => dialog.close('cancel')),
        h('button', { type: 'submit', value: 'ok', class: look }, action),
      ),
    );
    const dialog: HTMLDialogElement = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
    dialog.addEventListener('close', () => {
      const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
      const accepted = dialog.returnValue === 'ok';
      dialog.remove();
      resolve(accepted ? values : undefined);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function confirmDialog(title: string, text: string, action: string): Promise<boolean> {
  return (await formDialog(title, action, [], 'danger', h('p', {}, text))) !== undefined;
}
