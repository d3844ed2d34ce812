import { createHash } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { replaceFile, writeFully } from '../../ssh/copy/local-file';
import { destinationOf, makeFolder, makeLink } from '../../ssh/copy/local-place';
import type { CopyEntry, CopyFile } from '../../ssh/copy/plan';
import { withoutTrailingSlashes } from '../../ssh/copy/plan';
import { copyProblem } from '../../ssh/copy/problem';
import { CopyReport } from '../../ssh/copy/report';
import type { CopyOptions, CopyResult } from '../../ssh/copy/report';
import { readAlgorithm, strange } from './refusals';
import type { RecordReader } from './record-reader';
import type { RunInContainer } from './script-run';
import { withScript } from './script-run';
import { SEND_SCRIPT } from './scripts';
import { readTree, unreadable } from './sent-tree';

/**
 * Copies a file or a folder from a container, like `scp -r`: into `local` when that is a folder, else under that name. The
 * rules are those of `download` in lib/ssh: the container isn't trusted, and one failure doesn't stop the rest. A file whose
 * checksum isn't what the container says is not kept.
 * Throws `usage`, `not-found`, `denied`, `aborted`, `failed`, and what `run` throws.
 */
export async function copyFromContainer(
  run: RunInContainer,
  remote: string,
  local: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const report = new CopyReport(remote, options, copyProblem);
  const request = { script: SEND_SCRIPT, args: [remote], signal: options.signal };
  try {
    report.check();
    return await withScript(run, request, (reader) => receive(reader, remote, local, report));
  } catch (error) {
    report.check();
    throw copyProblem(error, `copy ${remote} in the container to ${local}`);
  }
}

async function receive(reader: RecordReader, remote: string, local: string, report: CopyReport): Promise<CopyResult> {
  const algorithm = await readAlgorithm(reader, remote);
  const plan = await readTree(reader, report);
  const root = await destinationOf(withoutTrailingSlashes(remote === '~' ? '.' : remote), local, plan);
  report.expect(plan.files);
  const made: CopyEntry[] = [];
  for (const folder of plan.directories) {
    await report.entry(folder.path, 'folder', async () => {
      if (await makeFolder(join(root, folder.path), folder.path === '')) made.push(folder);
    });
  }
  await receiveFiles(reader, plan.files, root, algorithm, report);
  for (const link of plan.links)
    await report.entry(link.path, 'link', () => makeLink(link.target, join(root, link.path)));
  for (const folder of made.reverse()) await chmod(join(root, folder.path), folder.mode & ~process.umask());
  return report.result();
}

/** The files of the list, in the order in which they come. What isn't on the list is passed over. */
async function receiveFiles(
  reader: RecordReader,
  files: readonly CopyFile[],
  root: string,
  algorithm: string,
  report: CopyReport,
): Promise<void> {
  const wanted = new Map(files.map((file) => [file.path, file]));
  for (;;) {
    const text = (await reader.record()).toString('utf8');
    if (text === '.') break;
    const [, kind, size = '0', path = ''] = /^(?:(c) (\d{1,15})|u) ([^]*)$/.exec(text) ?? [];
    if (kind === undefined && !text.startsWith('u ')) throw strange();
    const file = wanted.get(path);
    wanted.delete(path);
    if (kind === undefined) {
      if (file !== undefined) await report.entry(path, 'file', () => Promise.reject(unreadable()));
      continue;
    }
    const sent = new SentFile(reader, Number(size));
    if (file !== undefined) {
      await report.entry(path, 'file', () => receiveFile(sent, join(root, path), file, algorithm, report));
    }
    await sent.skip();
  }
  for (const path of wanted.keys()) {
    await report.entry(path, 'file', () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' })));
  }
}

/** A file whose bytes and checksum come next. Whatever isn't wanted of it has to be skipped. */
class SentFile {
  private readonly bytes: AsyncGenerator<Buffer>;
  private ended = false;

  constructor(
    private readonly reader: RecordReader,
    size: number,
  ) {
    this.bytes = reader.content(size);
  }

  /** The next piece; undefined after the last. */
  async piece(): Promise<Buffer | undefined> {
    const { done, value } = await this.bytes.next();
    return done === true ? undefined : value;
  }

  /** After the last piece. */
  async checksum(): Promise<string> {
    this.ended = true;
    return (await this.reader.record()).toString('latin1');
  }

  async skip(): Promise<void> {
    if (this.ended) return;
    while ((await this.piece()) !== undefined);
    await this.checksum();
  }
}

async function receiveFile(
  sent: SentFile,
  local: string,
  { mode }: CopyFile,
  algorithm: string,
  report: CopyReport,
): Promise<void> {
  await replaceFile(local, mode, async (target, how) => {
    const hash = createHash(algorithm);
    let position = 0;
    for (let piece = await sent.piece(); piece !== undefined; piece = await sent.piece()) {
      report.check();
      hash.update(piece);
      await writeFully(target, piece, how === 'sequential' ? null : position);
      position += piece.length;
      report.copied(piece.length);
    }
    if ((await sent.checksum()) !== hash.digest('hex')) {
      throw new MngrFargateError('failed', `${local} was not copied: the file in the container changed meanwhile`, {
        hint: 'copy it again',
      });
    }
  });
}
