import { readFile } from 'node:fs/promises';
import { MngrFargateError } from '../../contract/errors';
import { isPublicKey } from '../../contract/host-rules';

/** The public keys of an `--authorized-key`: the key itself, or a file of keys, one a line. */
export async function publicKeys(text: string): Promise<string[]> {
  if (isPublicKey(text)) return [text.trim()];
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
  if (keys.length > 0 && keys.every((key) => isPublicKey(key))) return keys;
  // The content isn't shown: it may be a private key.
  throw new MngrFargateError('usage', `--authorized-key: ${text} contains something that is not a public key`, {
    hint: 'give the .pub file',
  });
}
