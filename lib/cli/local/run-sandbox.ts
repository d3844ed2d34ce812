import { shellQuote } from '../../util/shell-quote';
import { placeOfSandboxes } from './sandbox-place';

export interface RunSandboxOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Default: 127.0.0.1, and any free port. */
  readonly host?: string;
  readonly port?: number;
  /** Destroys the sandboxes, and the local endpoint if it was started here, at the end. */
  readonly down?: boolean;
  /** Ends the service. */
  readonly signal: AbortSignal;
  /** What is being done, for people. */
  readonly onProgress: (line: string) => void;
  /** Called once the service answers. */
  readonly onReady: (service: ServedSandbox) => void;
}

export interface ServedSandbox {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  readonly dataDirectory: string;
}

/** Serves sandboxes in this process until the signal fires. */
export async function runSandbox(options: RunSandboxOptions): Promise<void> {
  const { environment, host, port, down = false, signal, onProgress, onReady } = options;
  const [{ settingsOfEnvironment }, { serveSandbox }] = await Promise.all([
    import('../../sandbox/settings.js'),
    import('../../sandbox/serve.js'),
  ]);
  const settings = settingsOfEnvironment(environment);
  for (const note of settings.notes) onProgress(note);
  const { dataDirectory: folder } = settings;
  const place = await placeOfSandboxes({ environment, dataDirectory: folder, onProgress, signal });
  const running = await serveSandbox({ settings, config: place.config, aws: place.aws, host, port });
  try {
    const { url, key, dataDirectory } = running;
    onReady({ url, key, pid: process.pid, dataDirectory });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    await running.close({ destroy: down });
    if (down) await place.down();
  }
}

/** Three commands to try, for people. */
export function welcome({ url, key, dataDirectory }: ServedSandbox): string {
  const header = `-H ${shellQuote(`X-Sandbox-Secret: ${key}`)}`;
  const json = `-H 'Content-Type: application/json'`;
  return [
    `sandboxes at ${url} (open it in a browser)`,
    `  key    ${key}`,
    `  state  ${dataDirectory}`,
    '',
    'try:',
    `  curl -s ${url}/sandbox ${header} ${json} -d '{"id":"first"}'`,
    `  curl -s ${url}/sandbox/first/exec ${header} ${json} -d '{"cmd":"echo hello from $(hostname)","sync":true}'`,
    `  curl -s -X DELETE ${url}/sandbox/first ${header}`,
    '',
    'Ctrl-C ends the service; sandboxes stay for the next start',
    '',
  ].join('\n');
}
