import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MngrFargateError } from '../../contract/errors';
import type { DaemonConfiguration, LocalFiles } from './files';

/** Lines of the daemon's log that an error shows. */
const LOG_TAIL_LINES = 20;

/** How long a daemon that is no longer wanted may take to end. Milliseconds. */
const END_TIMEOUT_MS = 15_000;

/** What a daemon tells whoever started it. */
export type DaemonMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly hint?: string };

/** The daemon's program as node's arguments: beside this file once built or bundled, else from its source. */
function programArguments(): string[] {
  if (__filename.endsWith('.ts')) {
    return ['--import', pathToFileURL(require.resolve('tsx')).href, join(__dirname, 'main.ts')];
  }
  return __filename.endsWith('.mjs') ? [join(__dirname, 'local-daemon.mjs')] : [join(__dirname, 'main.js')];
}

/**
 * Starts a daemon that outlives this process; resolves once it serves. Throws what it failed with, or the end of its
 * log when it didn't say; `aborted` when the signal fires first, once the daemon is gone.
 */
export async function startDaemon(
  files: LocalFiles,
  configuration: DaemonConfiguration,
  onProgress: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  files.writeConfiguration(configuration);
  const log = openSync(files.log, 'a', 0o600);
  const child = spawn(process.execPath, [...programArguments(), files.configuration], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    // AWS settings of the caller's shell don't apply to the endpoint itself.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'))),
  });
  closeSync(log);
  let killer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exitCode, killedBy) => {
        reject(
          signal?.aborted
            ? abortedError(signal)
            : new MngrFargateError('failed', `the local endpoint ended with ${killedBy ?? exitCode} before it served`, {
                details: { log: tailOf(files.log) },
                hint: `its log is ${files.log}`,
              }),
        );
      });
      child.on('message', (message: DaemonMessage) => {
        if (message.kind === 'progress') onProgress(message.line);
        else if (signal?.aborted) return;
        else if (message.kind === 'ready') resolve();
        else reject(failureOf(message));
      });
    });
  } finally {
    clearTimeout(killer);
    signal?.removeEventListener('abort', onAbort);
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** The error of a start that was aborted. */
export const abortedError = (signal: AbortSignal): MngrFargateError =>
  new MngrFargateError('aborted', 'the start of the local endpoint was cancelled', { cause: signal.reason });

const failureOf = ({ code, message, hint }: Extract<DaemonMessage, { kind: 'failed' }>): MngrFargateError =>
  new MngrFargateError(code === 'usage' || code === 'not-found' ? code : 'failed', message, { hint });

function tailOf(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
