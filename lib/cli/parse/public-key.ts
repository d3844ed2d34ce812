import { readFile } from 'node:fs/promises';
import { MngrFargateError } from '../../contract/errors';

const PUBLIC_KEY = /^(?:ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/]+={0,3}(?: .*)?$/;

/** The public keys of an `--authorized-key`: the key itself, or a file of keys, one a line. */
export async function publicKeys(text: string): Promise<string[]> {
  if (PUBLIC_KEY.test(text.trim())) return [text.trim()];
  const content = await readFile(text, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MngrFargateError(
      'usage',
      `--authorized-key: ${JSON.stringify(text)} is neither a public key nor a file that can be read`,
      {
        cause: error,
      },
    );
  });
  const keys = content
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length > 0 && keys.every((key) => PUBLIC_KEY.test(key))) return keys;
  // The content isn't shown: it may well be a private key.
  throw new MngrFargateError('usage', `--authorized-key: ${text} holds something other than public keys`, {
    hint: 'give the .pub file',
  });
}
