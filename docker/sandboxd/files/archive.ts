import { spawn } from 'node:child_process';
import { lstat, mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure } from '../failure';

const MOST_WORDS = 2_000;

/** tar(1) over a folder's content, or one file. Its bytes are `data`; `done` rejects if some of them are missing. */
export async function packFiles(
  path: string,
  gzip: boolean,
): Promise<{ readonly data: Readable; readonly done: Promise<void>; readonly stop: () => void }> {
  const folder = (await lstat(path)).isDirectory();
  const what = folder ? ['--directory', path, '--', '.'] : ['--directory', dirname(path), '--', basename(path)];
  const child = spawn('tar', ['--create', ...(gzip ? ['--gzip'] : []), '--file', '-', ...what], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' },
  });
  return { data: child.stdout, done: ended(child, 'pack'), stop: () => child.kill('SIGKILL') };
}

/**
 * Unpacks into a folder, which is made. GNU tar writes nothing outside it: it refuses `..`, makes absolute names relative,
 * and makes links that lead out only after everything else.
 */
export async function unpackFiles(path: string, data: Readable, gzip: boolean): Promise<void> {
  await mkdir(path, { recursive: true });
  const child = spawn(
    'tar',
    [
      '--extract',
      ...(gzip ? ['--gzip'] : []),
      '--file',
      '-',
      '--directory',
      path,
      '--no-same-owner',
      '--delay-directory-restore',
    ],
    { stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' } },
  );
  // tar may end before it has read everything: after an error, or after the archive's own end.
  child.stdin.on('error', () => undefined);
  child.stdin.on('close', () => data.resume());
  data.on('error', () => child.kill('SIGKILL'));
  data.on('close', () => {
    if (!data.readableEnded) child.kill('SIGKILL');
  });
  data.pipe(child.stdin);
  await ended(child, 'unpack');
}

function ended(child: ReturnType<typeof spawn>, doing: string): Promise<void> {
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (words.length < MOST_WORDS) words += text.slice(0, MOST_WORDS);
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Failure('internal', 'there is no tar in the sandbox: install it') : error),
    );
    child.once('close', (code) => {
      // 1: a file changed while it was read.
      if (code === 0 || (code === 1 && doing === 'pack')) return resolve();
      const first = words.split('\n')[0]?.replace(/^tar: /, '') ?? '';
      const full = /No space left|quota exceeded/i.test(words);
      const denied = /Permission denied/.test(words);
      reject(
        new Failure(
          full ? 'no_space' : denied ? 'permission_denied' : 'bad_request',
          `the archive cannot be ${doing}ed: ${first === '' ? 'it was cut off' : first}`,
        ),
      );
    });
  });
  done.catch(() => undefined);
  return done;
}
