import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { MngrFargateError } from '../contract/errors';
import { printable } from '../util/printable';
import type { Io } from './io';

const CODE = /^\d{6}$/;
/** How often what is no code may be typed. */
const TRIES = 3;
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Asks for the code of an MFA device on the terminal, and again for what can't be one; what is typed is neither shown nor
 * kept. Throws `usage` when none was typed, `aborted` for Ctrl-C and Ctrl-D.
 */
export async function askMfaCode(io: Io, device: string, { refused, signal }: MfaQuestion): Promise<string> {
  if (refused !== undefined)
    io.stderr.write('AWS refuses this code: each is accepted once, so wait for the next one.\n');
  for (let tried = 1; tried <= TRIES; tried++) {
    const code = await typed(io, `Code of the MFA device ${printable(device)}: `, signal);
    if (CODE.test(code)) return code;
    io.stderr.write('The code of an MFA device has six digits.\n');
  }
  throw new MngrFargateError('usage', `no MFA code was given: what was typed ${TRIES} times doesn't have six digits`);
}

export interface MfaQuestion {
  /** The code that AWS has just refused. */
  readonly refused: string | undefined;
  readonly signal: AbortSignal;
}

async function typed({ stdin, stderr }: Io, prompt: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: stdin, output: nowhere(), terminal: true, historySize: 0 });
  const left = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  terminal.once('SIGINT', () => terminal.close());
  stderr.write(prompt);
  try {
    const text = await Promise.race([terminal.question('', { signal }), left]);
    if (text === undefined) throw new MngrFargateError('aborted', 'no MFA code was given');
    return text.trim();
  } finally {
    terminal.close();
    stderr.write('\n');
  }
}
