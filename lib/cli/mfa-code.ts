import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { MngrFargateError } from '../contract/errors';
import type { Io } from './io';

const CODE = /^\d{6}$/;
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Asks for the code of an MFA device on the terminal; what is typed is neither shown nor kept. Throws `usage` when it is
 * not a code, `aborted` for Ctrl-C and Ctrl-D.
 */
export async function askMfaCode({ stdin, stderr }: Io, device: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: stdin, output: nowhere(), terminal: true, historySize: 0 });
  const left = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  terminal.once('SIGINT', () => terminal.close());
  stderr.write(`Code of the MFA device ${device}: `);
  try {
    const code = await Promise.race([terminal.question('', { signal }), left]);
    if (code === undefined) throw new MngrFargateError('aborted', 'no MFA code was given');
    if (CODE.test(code.trim())) return code.trim();
    throw new MngrFargateError('usage', 'the code of an MFA device has six digits');
  } finally {
    terminal.close();
    stderr.write('\n');
  }
}
