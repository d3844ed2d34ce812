import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { endInTime } from '../run/bounded-child';
import { ROOT } from '../run/paths';
import { join } from 'node:path';

export interface PtyTerminal {
  readonly input: Writable;
  readonly output: Readable;
  /** Hangs up, if the program is still there, and waits until it has ended. */
  close(): Promise<void>;
}

/** Starts a program on a pseudo-terminal of its own, in a session of its own, with exactly these variables. */
export function ptyTerminal(words: readonly string[], variables: Readonly<Record<string, string>>): PtyTerminal {
  const relay = join(ROOT, 'test/support/tasks/pty-relay.py');
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const child = spawn('python3', [relay, '/usr/bin/env', '-i', ...settings, ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  endInTime(child);
  const { stdin, stdout } = child;
  const closed = once(child, 'close');
  stdin.on('error', () => undefined);
  return {
    input: stdin,
    output: stdout,
    close: async () => {
      stdin.end();
      stdout.resume();
      await closed;
    },
  };
}
