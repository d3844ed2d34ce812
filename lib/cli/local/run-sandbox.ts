import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import type { AwsSettings } from '../../aws/client-options';
import { writePrivateFile } from '../../util/atomic-file';
import { packageRoot, packageVersion } from '../../util/package-root';
import { shellQuote } from '../../util/shell-quote';
import { synthesize } from './synthesize';

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
  const place = isConfigured(environment)
    ? await configuredPlace(environment, settings.dataDirectory, signal)
    : await localPlace(environment, settings.dataDirectory, onProgress, signal);
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

interface Place {
  readonly config: ProviderConfig;
  readonly aws?: AwsSettings;
  readonly down: () => Promise<void>;
}

/** Only what somebody has set on purpose leads to an AWS account. */
const isConfigured = (environment: NodeJS.ProcessEnv): boolean =>
  Boolean(environment.AWS_ENDPOINT_URL ?? environment.MNGR_FARGATE_SUBNETS ?? environment.SANDBOX_STACK);

async function configuredPlace(environment: NodeJS.ProcessEnv, base: string, signal: AbortSignal): Promise<Place> {
  const { loadProviderConfig } = await import('../../mngr/index.js');
  const stack = environment.SANDBOX_STACK;
  const { config } = await loadProviderConfig({ baseDirectory: base, environment, stack, signal });
  return { config: asSandboxes(config), down: () => Promise.resolve() };
}

/** The local endpoint of this data directory, with the stack that this package has. */
async function localPlace(
  environment: NodeJS.ProcessEnv,
  dataDirectory: string,
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<Place> {
  const { up, down } = await import('../../local/index.js');
  const { loadProviderConfig } = await import('../../mngr/index.js');
  const stateDirectory = join(dataDirectory, 'local');
  const assemblyDirectory = environment.SANDBOX_ASSEMBLY ?? join(dataDirectory, 'cdk.out');
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  if (environment.SANDBOX_ASSEMBLY === undefined && !(await isCurrent(assemblyDirectory))) {
    onProgress('synthesizing the stack');
    await synthesize({ folder: assemblyDirectory, context: {}, environment: withoutAws(environment), signal });
    await writePrivateFile(join(assemblyDirectory, STAMP), await stamp());
  }
  onProgress('starting the local endpoint');
  const runtime = runtimeOf(environment.SANDBOX_RUNTIME);
  const description = await up({ assemblyDirectory, stateDirectory, runtime, onProgress, signal });
  const { env, region } = description;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  const aws: AwsSettings = { endpoint: env.AWS_ENDPOINT_URL, credentials: () => Promise.resolve(credentials) };
  const { config } = await loadProviderConfig({
    baseDirectory: dataDirectory,
    environment: { MNGR_FARGATE_AWS_REGION: region },
    stack: description.stackName,
    aws,
    signal,
  });
  return {
    config: asSandboxes(config),
    aws,
    down: async () => {
      await down({ stateDirectory });
    },
  };
}

/** In an assembly: what it was made by. A synthesis takes seconds, and a restart needs none. */
const STAMP = '.made-by';

async function stamp(): Promise<string> {
  const app = await stat(join(packageRoot(), 'dist', 'bin', 'app.js')).catch(() => undefined);
  return `${packageVersion()} ${app?.mtimeMs ?? ''}\n`;
}

const isCurrent = async (assemblyDirectory: string): Promise<boolean> =>
  (await readFile(join(assemblyDirectory, STAMP), 'utf8').catch(() => '')) === (await stamp());

/** The service reaches its hosts directly, and gives them their limits itself. */
const asSandboxes = (config: ProviderConfig): ProviderConfig => ({
  ...config,
  transport: 'direct',
  default_idle_timeout: 0,
  default_max_age: undefined,
});

const withoutAws = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AWS|MNGR|CDK)_/.test(name)));

/**
 * Sandboxes run as processes where the machine can run them. Containers would be of the agents' image, and that has no
 * Node.js, which the engine of a sandbox needs.
 */
function runtimeOf(text: string | undefined): 'auto' | 'container' | 'process' {
  if (text === undefined || text === '') return process.platform === 'linux' ? 'process' : 'auto';
  if (text === 'auto' || text === 'container' || text === 'process') return text;
  throw new MngrFargateError('usage', `SANDBOX_RUNTIME is ${JSON.stringify(text)}: use auto, container or process`);
}
