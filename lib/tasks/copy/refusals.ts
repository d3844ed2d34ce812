import { MngrFargateError } from '../../contract/errors';
import type { RecordReader } from './record-reader';

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['sha256', 'sha256'],
  ['md5', 'md5'],
]);

/** The first record of a script: the algorithm of its checksums, as node:crypto calls it. Throws for what it refuses. */
export async function readAlgorithm(reader: RecordReader, remote: string): Promise<string> {
  const [kind = '', word = ''] = (await reader.record()).toString('utf8').split(' ');
  const algorithm = ALGORITHMS.get(word);
  if (kind === '=' && algorithm !== undefined) return algorithm;
  throw kind === '!' ? refusal(word, remote) : strange();
}

function refusal(word: string, remote: string): MngrFargateError {
  const said = JSON.stringify(remote);
  switch (word) {
    case 'missing':
      return new MngrFargateError('not-found', `there is no ${said} in the container`);
    case 'denied':
      return new MngrFargateError('denied', `cannot read ${said} in the container: permission denied`);
    case 'other':
      return new MngrFargateError('usage', `${said} in the container is neither a file nor a folder`);
    case 'file':
      return new MngrFargateError('usage', `${said} in the container is a file, so no folder can take its place`);
    case 'no-folder':
      return new MngrFargateError('not-found', `there is no folder ${said} in the container`, {
        hint: 'make it first, or leave out the slash at the end',
      });
  }
  const [, tool] = /^no-([a-z0-9]{1,20})$/.exec(word) ?? [];
  if (tool === undefined) return strange();
  return new MngrFargateError('failed', `the container has no ${tool}, which cp needs there; nothing was copied`, {
    hint: 'send a file through a program that it has: mngr-fargate exec TARGET -- sh -c "…" < FILE',
  });
}

/** For an answer that our script doesn't give. */
export const strange = (): MngrFargateError =>
  new MngrFargateError('failed', 'the container sent what no copy consists of');
