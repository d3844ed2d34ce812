import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CLI_WORDS } from './cli-program';
import { endInTime } from '../run/bounded-child';
import type { CliHome } from './cli-program';
import type { Requirement } from '../run/requirements';
import { program } from '../run/requirements';
import { ROOT } from '../run/paths';

/** What a terminal of its own needs. */
export const terminal: Requirement = program('python3');

/** Waits for output that matches (a Python regular expression), then types. */
export interface TerminalStep {
  readonly expect: string;
  readonly send: string;
}

export interface TerminalRun {
  /** All that came to the screen, control sequences included. */
  readonly output: string;
  /** Null when it did not end in time. */
  readonly exitCode: number | null;
}

/** Runs the real program on a real terminal. */
export const runInTerminal = (
  home: CliHome,
  words: readonly string[],
  steps: readonly TerminalStep[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalRun> =>
  runOnTerminal({
    argv: [process.execPath, ...CLI_WORDS, ...words],
    env: home.env({ TERM: 'xterm-256color', ...env }),
    cwd: ROOT,
    steps,
    seconds: 120,
  });

export interface TerminalRequest {
  /** The program's path, and its arguments. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly steps: readonly TerminalStep[];
  /** After these the program is killed. */
  readonly seconds: number;
}

/** Runs any program on a real terminal. */
export function runOnTerminal(request: TerminalRequest): Promise<TerminalRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', [join(__dirname, 'cli-terminal.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    endInTime(child, (request.seconds + 20) * 1000);
    let answer = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    child.once('error', reject).once('close', () => resolve(JSON.parse(answer) as TerminalRun));
    child.stdin.end(JSON.stringify(request));
  });
}
