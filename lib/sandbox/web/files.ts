import type { ApiFile } from '../client';
import type { Leave } from './app';
import { confirmDialog, formDialog } from './dialogs';
import { button, fill, h } from './dom';
import { bytes, clock } from './format';
import { say } from './messages';
import type { TabOptions } from './sandbox';

const START = '/workspace';
/** Larger files are for an editor of one's own. */
const EDITABLE_BYTES = 1024 * 1024;

/** A browser of the sandbox's files. */
export function filesTab(place: HTMLElement, { box: { files }, onProblem }: TabOptions): Leave {
  let folder = START;
  let gone = false;

  const join = (name: string): string => `${folder === '/' ? '' : folder}/${name}`;

  const open = async (path: string): Promise<void> => {
    const entries = await files.list(path);
    if (gone) return;
    folder = path;
    draw(entries);
  };
  const go = (path: string): void => void open(path).catch(onProblem);

  const upload = async (chosen: readonly File[]): Promise<void> => {
    for (const file of chosen) {
      say(`Uploading ${file.name}…`);
      await files.write(join(file.name), file);
    }
    await open(folder);
    say(chosen.length === 1 ? `${(chosen[0] as File).name} is uploaded` : `${chosen.length} files are uploaded`);
  };

  const makeFolder = async (): Promise<void> => {
    const values = await formDialog('New folder', 'Create', [{ name: 'name', label: 'Name' }]);
    const name = values?.name?.trim() ?? '';
    if (name === '') return;
    await files.makeDirectory(join(name));
    await open(folder);
  };

  const download = async (path: string): Promise<void> => {
    h('a', { href: await files.downloadUrl(path), download: path.split('/').pop() as string }).click();
  };

  const remove = async (entry: ApiFile): Promise<void> => {
    const isFolder = entry.type === 'directory';
    const text = isFolder ? 'Everything in it is deleted too.' : 'It can’t be brought back.';
    if (!(await confirmDialog(`Delete ${entry.name}?`, text, 'Delete'))) return;
    await files.remove(join(entry.name), { recursive: isFolder });
    await open(folder);
  };

  const edit = async (entry: ApiFile): Promise<void> => {
    const path = join(entry.name);
    if ((entry.size ?? 0) > EDITABLE_BYTES) return download(path);
    const content = await files.read(path);
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    } catch {
      return download(path);
    }
    if (!gone) drawEditor(path, text);
  };

  const act = (work: Promise<void>): void => void work.catch(onProblem);

  const drawEditor = (path: string, text: string): void => {
    const area = h('textarea', { class: 'editor', 'aria-label': path, spellcheck: 'false' });
    area.value = text;
    const save = async (): Promise<void> => {
      await files.write(path, area.value);
      say(`${path} is saved`);
      await open(folder);
    };
    fill(
      place,
      h(
        'div',
        { class: 'toolbar' },
        h('code', { class: 'path' }, path),
        button('Download', () => act(download(path))),
        button('Cancel', () => go(folder)),
        button('Save', () => act(save()), 'primary'),
      ),
      area,
    );
    area.focus();
  };

  const row = (entry: ApiFile): HTMLElement => {
    const isFolder = entry.type === 'directory';
    const label = entry.target === undefined ? entry.name : `${entry.name} → ${entry.target}`;
    const openIt = (): void => (isFolder ? go(join(entry.name)) : act(edit(entry)));
    return h(
      'tr',
      {},
      h('td', {}, button(label, openIt, `file ${entry.type}`)),
      h('td', { class: 'number wide' }, bytes(entry.size)),
      h('td', { class: 'wide quiet' }, clock(entry.modifiedAt)),
      h('td', { class: 'wide quiet' }, entry.mode),
      h(
        'td',
        { class: 'number' },
        !isFolder &&
          button('Download', () => act(download(join(entry.name))), 'plain', {
            'aria-label': `Download ${entry.name}`,
          }),
        button('Delete', () => act(remove(entry)), 'plain danger', { 'aria-label': `Delete ${entry.name}` }),
      ),
    );
  };

  const breadcrumbs = (): HTMLElement => {
    const names = folder.split('/').filter((name) => name !== '');
    const links = names.map((name, index) => [name, `/${names.slice(0, index + 1).join('/')}`] as const);
    return h(
      'nav',
      { class: 'path', 'aria-label': 'Folder' },
      button('/', () => go('/'), 'plain'),
      ...links.flatMap(([name, path], index) => [
        index > 0 && h('span', { class: 'quiet', 'aria-hidden': 'true' }, '/'),
        button(name, () => go(path), 'plain'),
      ]),
    );
  };

  const draw = (entries: readonly ApiFile[]): void => {
    const picker = h('input', {
      type: 'file',
      multiple: true,
      hidden: true,
      onchange: () => act(upload([...(picker.files ?? [])])),
    });
    const sorted = [...entries].sort(
      (a, b) => Number(b.type === 'directory') - Number(a.type === 'directory') || a.name.localeCompare(b.name),
    );
    const drop = h(
      'div',
      {
        class: 'drop',
        ondragover: (event) => {
          event.preventDefault();
          drop.classList.add('over');
        },
        ondragleave: () => drop.classList.remove('over'),
        ondrop: (event) => {
          event.preventDefault();
          drop.classList.remove('over');
          act(upload([...(event.dataTransfer?.files ?? [])]));
        },
      },
      sorted.length === 0
        ? h('p', { class: 'quiet empty-line' }, 'This folder is empty. Drop files here, or upload them.')
        : h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', { scope: 'col' }, 'Name'),
                h('th', { scope: 'col', class: 'number wide' }, 'Size'),
                h('th', { scope: 'col', class: 'wide' }, 'Changed'),
                h('th', { scope: 'col', class: 'wide' }, 'Mode'),
                h('th', { scope: 'col' }, h('span', { class: 'unseen' }, 'Actions')),
              ),
            ),
            h('tbody', {}, ...sorted.map(row)),
          ),
    );
    fill(
      place,
      h(
        'div',
        { class: 'toolbar' },
        breadcrumbs(),
        button('New folder', () => act(makeFolder())),
        button('Upload', () => picker.click(), 'primary'),
        picker,
      ),
      drop,
    );
  };

  fill(place, h('p', { class: 'quiet' }, 'Loading…'));
  go(START);
  return () => {
    gone = true;
  };
}
