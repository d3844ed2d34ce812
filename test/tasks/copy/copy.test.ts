import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { copyFromContainer } from '../../../lib/tasks/copy/copy-from-container';
import { copyToContainer } from '../../../lib/tasks/copy/copy-to-container';
import type { RunInContainer } from '../../../lib/tasks/copy/script-run';
import { ImageTools, programPath } from '../../support/tasks/image-tools';

const USUAL = ['cat', 'head', 'ls', 'wc', 'readlink', 'dd', 'chmod', 'mkdir', 'mv', 'rm', 'ln'];

/** Runs the scripts as processes of this machine, which find the programs of an image and no others. */
const runIn =
  (image: ImageTools): RunInContainer =>
  async ([program = '', ...words], { stdin = Readable.from([]), stdout, stderr, signal }) => {
    const path = join(image.folder, program);
    const child = spawn(path, words, { argv0: program, env: image.environment, detached: true });
    const end = (): void => void (child.pid === undefined || process.kill(-child.pid));
    signal.addEventListener('abort', end, { once: true });
    const closed = once(child, 'close');
    child.stdin.on('error', () => undefined);
    await Promise.all([
      pipeline(stdin, child.stdin).catch(() => undefined),
      pipeline(child.stdout, stdout, { end: false }).catch(() => undefined),
      pipeline(child.stderr, stderr, { end: false }),
      closed,
    ]);
    signal.removeEventListener('abort', end);
  };

/** A container that sends exactly this, whatever it is asked. */
const sends =
  (...pieces: readonly (string | Buffer)[]): RunInContainer =>
  async (_command, { stdout, signal }) => {
    const source = Readable.from(pieces.map((piece) => Buffer.from(piece as string)));
    await pipeline(source, stdout, { signal, end: false }).catch(() => undefined);
  };

/** Every path below a folder, with what makes it what it is. */
function contents(folder: string, path = ''): Record<string, string> {
  const full = join(folder, path);
  const stats = lstatSync(full);
  if (stats.isSymbolicLink()) return { [path]: `-> ${readlinkSync(full)}` };
  const mode = (stats.mode & 0o777).toString(8);
  if (stats.isFile()) return { [path]: `${mode} ${createHash('sha1').update(readFileSync(full)).digest('hex')}` };
  return Object.assign(
    { [path]: `${mode} folder` },
    ...readdirSync(full).map((name) => contents(folder, join(path, name))),
  ) as Record<string, string>;
}

const nothingLeft = (folder: string): void =>
  expect(Object.keys(contents(folder)).filter((path) => path.includes('.mngr-fargate-'))).toEqual([]);

let base: string;
let here: string;
let there: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'mngr-copy-'));
  here = join(base, 'here');
  there = join(base, 'there');
  mkdirSync(here);
  mkdirSync(there);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const shells = ['dash', 'bash', 'busybox'].filter((name) => programPath(name) !== undefined);

describe.each(shells)('cp with a container whose sh is %s', (shell) => {
  let image: ImageTools;
  let run: RunInContainer;
  beforeAll(() => {
    image = new ImageTools(shell, [...USUAL, 'sha256sum']);
    run = runIn(image);
  });
  afterAll(() => image[Symbol.dispose]());

  test('a folder comes back as it went: bytes, modes, links, odd names, empty folders and files', async () => {
    const tree = join(here, 'a tree');
    mkdirSync(join(tree, 'empty'), { recursive: true });
    mkdirSync(join(tree, 'deep/er/est'), { recursive: true });
    writeFileSync(join(tree, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(tree, 'secret'), 's', { mode: 0o600 });
    writeFileSync(join(tree, 'read only'), 'r', { mode: 0o444 });
    writeFileSync(join(tree, 'none'), '');
    writeFileSync(join(tree, 'bytes'), Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256)));
    for (const name of [
      'späce 😀',
      '-rf',
      "it's",
      'a\nb',
      'end\n',
      '\n',
      '$(x)',
      'back\\slash',
      'a\\nb',
      '*',
      '?',
      ' x ',
      '.h',
      '..h',
      '...',
    ])
      writeFileSync(join(tree, 'deep/er', name), name);
    symlinkSync('run.sh', join(tree, 'link'));
    symlinkSync('nowhere/at\nall', join(tree, 'deep/dangling'));
    symlinkSync('-x \\n', join(tree, 'deep/-odd'));
    symlinkSync('../run.sh', join(tree, 'deep/up'));
    symlinkSync('deep', join(tree, 'folder link'));
    chmodSync(join(tree, 'deep'), 0o750);
    mkdirSync(join(tree, 'locked'));
    writeFileSync(join(tree, 'locked/inside'), 'x');
    chmodSync(join(tree, 'locked'), 0o500);

    const sent = await copyToContainer(run, tree, join(there, 'copy'));
    expect(contents(join(there, 'copy'))).toEqual(contents(tree));
    expect(sent).toMatchObject({ files: 21, skipped: [] });
    const back = await copyFromContainer(run, join(there, 'copy'), join(here, 'back'));
    expect(contents(join(here, 'back'))).toEqual(contents(tree));
    expect(back).toEqual(sent);
    nothingLeft(base);
    chmodSync(join(tree, 'locked'), 0o700);
  });

  test('files of any size keep every byte', async () => {
    for (const size of [1, 65_535, 65_536, 65_537, 3_000_001]) {
      const content = randomBytes(size);
      writeFileSync(join(here, 'large'), content);
      const seen: number[] = [];
      await copyToContainer(run, join(here, 'large'), join(there, 'large'), {
        onProgress: ({ bytes }) => seen.push(bytes),
      });
      expect(readFileSync(join(there, 'large')).equals(content)).toBe(true);
      expect(seen.at(-1)).toBe(size);
      await copyFromContainer(run, join(there, 'large'), join(here, 'back'));
      expect(readFileSync(join(here, 'back')).equals(content)).toBe(true);
    }
  });

  test('goes into a folder that exists, and takes the place of what has the same name', async () => {
    writeFileSync(join(here, 'file'), 'a long content', { mode: 0o640 });
    await copyToContainer(run, join(here, 'file'), there);
    writeFileSync(join(here, 'file'), '2');
    await copyToContainer(run, join(here, 'file'), `${there}/`);
    expect(readFileSync(join(there, 'file'), 'utf8')).toBe('2');
    expect(statSync(join(there, 'file')).mode & 0o777).toBe(0o640);
    await copyToContainer(run, here, there);
    expect(readFileSync(join(there, 'here/file'), 'utf8')).toBe('2');
    await copyFromContainer(run, join(there, 'file'), base);
    expect(readFileSync(join(base, 'file'), 'utf8')).toBe('2');
    await copyFromContainer(run, `${there}/here/`, join(base, 'renamed'));
    expect(readFileSync(join(base, 'renamed/file'), 'utf8')).toBe('2');
  });

  test('a file whose size nobody knows is read to its end', async () => {
    await copyFromContainer(run, '/proc/sys/kernel/ostype', join(here, 'name'));
    expect(readFileSync(join(here, 'name'), 'utf8')).toBe('Linux\n');
  });

  test('what fails is named, and the rest is copied', async () => {
    mkdirSync(join(here, 'tree'));
    for (const name of ['a', 'b', 'c']) writeFileSync(join(here, 'tree', name), name);
    symlinkSync('a', join(here, 'tree/link'));
    mkdirSync(join(there, 'tree/b'), { recursive: true });
    mkdirSync(join(there, 'tree/link'));
    await expect(copyToContainer(run, join(here, 'tree'), there)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('2 entries') as string,
      details: {
        failureCount: 2,
        failures: [
          { path: 'b', message: expect.stringContaining('there is a folder of that name') as string },
          { path: 'link', message: expect.stringContaining('there is a folder of that name') as string },
        ],
      },
    });
    expect(readFileSync(join(there, 'tree/c'), 'utf8')).toBe('c');
    nothingLeft(there);
  });

  test('what cannot be is refused before anything is written', async () => {
    writeFileSync(join(here, 'file'), 'x');
    mkdirSync(join(here, 'folder'));
    writeFileSync(join(there, 'file'), 'y');
    await expect(copyFromContainer(run, join(there, 'none'), here)).rejects.toMatchObject({ code: 'not-found' });
    await expect(copyFromContainer(run, '/dev/null', here)).rejects.toMatchObject({ code: 'usage' });
    await expect(copyToContainer(run, join(here, 'none'), there)).rejects.toMatchObject({ code: 'not-found' });
    await expect(copyToContainer(run, join(here, 'file'), `${there}/none/`)).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(copyToContainer(run, join(here, 'folder'), join(there, 'file'))).rejects.toMatchObject({
      code: 'usage',
    });
    await expect(copyToContainer(run, join(here, 'file'), join(there, 'no/such/folder'))).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/nonexistent|no such/i) as string,
    });
    expect(readdirSync(there)).toEqual(['file']);
  });

  test('a file that is being appended to arrives as it was, and one that gets shorter is refused', async () => {
    const log = join(here, 'log');
    writeFileSync(log, Buffer.alloc(300_000, 'x'));
    let grown = false;
    const onProgress = (): void => {
      if (!grown) appendFileSync(log, 'more');
      grown = true;
    };
    await copyToContainer(run, log, join(there, 'log'), { onProgress });
    expect(statSync(join(there, 'log')).size).toBe(300_000);
    let cut = false;
    const shorten = (): void => {
      if (!cut) truncateSync(log, 10);
      cut = true;
    };
    await expect(copyToContainer(run, log, join(there, 'log2'), { onProgress: shorten })).rejects.toMatchObject({
      message: expect.stringContaining('it changed while it was copied') as string,
    });
    expect(existsSync(join(there, 'log2'))).toBe(false);
    nothingLeft(there);
  });

  test('stops when it is told to, and leaves nothing of what was half there', async () => {
    writeFileSync(join(here, 'large'), randomBytes(4_000_000));
    for (const copy of [copyToContainer, copyFromContainer]) {
      const stop = new AbortController();
      const onProgress = ({ bytes }: { readonly bytes: number }): void => {
        if (bytes > 200_000) stop.abort();
      };
      const done = copy(run, join(here, 'large'), join(there, 'large'), { signal: stop.signal, onProgress });
      await expect(done).rejects.toMatchObject({ code: 'aborted' });
      expect(readdirSync(there)).toEqual([]);
    }
  });
});

test('many small files cost no round trip each', async () => {
  using image = new ImageTools('dash', [...USUAL, 'sha256sum']);
  mkdirSync(join(here, 'many'));
  for (let index = 0; index < 300; index++) writeFileSync(join(here, 'many', `file ${index}`), String(index));
  await copyToContainer(runIn(image), join(here, 'many'), there);
  expect(contents(join(there, 'many'))).toEqual(contents(join(here, 'many')));
  await copyFromContainer(runIn(image), join(there, 'many'), join(base, 'back'));
  expect(contents(join(base, 'back'))).toEqual(contents(join(here, 'many')));
});

test('md5sum will do, and a missing program is named before anything is done', async () => {
  writeFileSync(join(here, 'file'), 'x');
  using old = new ImageTools('dash', [...USUAL, 'md5sum']);
  await copyToContainer(runIn(old), join(here, 'file'), there);
  await copyFromContainer(runIn(old), join(there, 'file'), join(here, 'back'));
  expect(readFileSync(join(here, 'back'), 'utf8')).toBe('x');
  using poor = new ImageTools('dash', USUAL);
  await expect(copyToContainer(runIn(poor), join(here, 'file'), join(there, 'x'))).rejects.toMatchObject({
    code: 'failed',
    message: 'the container has no md5sum, which cp needs there; nothing was copied',
  });
  expect(readdirSync(there)).toEqual(['file']);
});

test('what a link points to is replaced there as scp does it, and keeps its owner', async () => {
  using image = new ImageTools('dash', [...USUAL, 'sha256sum']);
  writeFileSync(join(there, 'real'), 'old');
  symlinkSync('real', join(there, 'name'));
  const { ino } = statSync(join(there, 'real'));
  writeFileSync(join(here, 'file'), 'new');
  await copyToContainer(runIn(image), join(here, 'file'), join(there, 'name'));
  expect(readFileSync(join(there, 'real'), 'utf8')).toBe('new');
  expect(statSync(join(there, 'real')).ino).toBe(ino);
  expect(readlinkSync(join(there, 'name'))).toBe('real');
});

describe('a container that lies', () => {
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
  const list = (...records: readonly string[]): string => ['= sha256', ...records, '.', ''].join('\0');
  const file = (path: string, text: string): string => `c ${text.length} ${path}\0${text}${sha(text)}\0`;
  const D = 'drwxr-xr-x';
  const F = '-rw-r--r--';

  test('writes nothing outside the destination, and nothing through a link', async () => {
    mkdirSync(join(base, 'outside'));
    const names = ['../evil', '..', 'a/../../evil', '/evil', 'link/evil', './evil', 'a//evil', 'new/evil'];
    const run = sends(
      list(`d ${D} `, `l link\0../outside`, 'l out\0/etc', ...names.map((name) => `f ${F} 1 ${name}`), `f ${F} 2 good`),
      ...names.map((name) => file(name, 'x')),
      file('good', 'ok'),
      '.\0',
    );
    const { skipped } = await copyFromContainer(run, 'x', join(here, 'x'));
    expect(readdirSync(join(here, 'x'))).toEqual(['good']);
    expect(readdirSync(base).sort()).toEqual(['here', 'outside', 'there']);
    expect(readdirSync(here)).toEqual(['x']);
    expect(readdirSync(join(base, 'outside'))).toEqual([]);
    expect(skipped.length).toBeGreaterThanOrEqual(2);
  });

  test('a link that lies in the destination is not written through', async () => {
    mkdirSync(join(base, 'outside'));
    mkdirSync(join(here, 'x'));
    symlinkSync('../../outside', join(here, 'x/sub'));
    symlinkSync('../../outside/file', join(here, 'x/file'));
    const run = sends(
      list(`d ${D} `, `d ${D} sub`, `f ${F} 1 sub/a`, `f ${F} 1 file`),
      file('sub/a', 'a'),
      file('file', 'b'),
      '.\0',
    );
    await expect(copyFromContainer(run, 'x', here)).rejects.toMatchObject({ code: 'failed' });
    expect(readdirSync(join(base, 'outside'))).toEqual([]);
    expect(readFileSync(join(here, 'x/file'), 'utf8')).toBe('b');
  });

  test('a wrong checksum keeps nothing, nor does a file that is never sent', async () => {
    const run = sends(list(`d ${D} `, `f ${F} 1 a`, `f ${F} 1 b`), `c 1 a\0x${sha('y')}\0`, '.\0');
    await expect(copyFromContainer(run, 'x', join(here, 'x'))).rejects.toMatchObject({ details: { failureCount: 2 } });
    expect(readdirSync(join(here, 'x'))).toEqual([]);
  });

  test('names that are sent twice are taken once', async () => {
    const run = sends(list(`d ${D} `, `f ${F} 1 a`, `d ${D} a`, `f ${F} 1 a/b`), file('a', '1'), file('a', '2'), '.\0');
    await copyFromContainer(run, 'x', join(here, 'x'));
    expect(readFileSync(join(here, 'x/a'), 'utf8')).toBe('1');
  });

  test('whatever it sends, the copy ends with an error of ours or with what the list says', async () => {
    const word = fc.constantFrom(
      'd',
      'f',
      'l',
      'c',
      'u',
      'o',
      'n',
      '.',
      '=',
      '!',
      ' ',
      '\0',
      D,
      F,
      'a',
      'a/b',
      '..',
      '3',
      'xyz',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 40 }), fc.boolean(), async (words, honest) => {
        const target = mkdtempSync(join(here, 'p-'));
        const run = sends(honest ? '= sha256\0' : '', words.join(''));
        const outcome: unknown = await copyFromContainer(run, 'x', join(target, 'x')).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome.name).toBe('MngrFargateError');
        expect(readdirSync(target).filter((name) => name !== 'x')).toEqual([]);
        expect(readdirSync(here).filter((name) => !name.startsWith('p-'))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
