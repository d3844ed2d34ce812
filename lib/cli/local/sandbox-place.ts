import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import type { AwsSettings } from '../../aws/client-options';
import type { LocalDescription, LocalStatus } from '../../local/index';
import { sandboxAssembly } from './sandbox-assembly';

export interface PlaceRequest {
  readonly environment: NodeJS.ProcessEnv;
  /** The service's, which has the local endpoint's files too. */
  readonly dataDirectory: string;
  /** What is being done, for people. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Where sandboxes run. */
export interface SandboxPlace {
  readonly config: ProviderConfig;
  readonly aws?: AwsSettings;
  /** Ends the place, if it was made here. */
  readonly down: () => Promise<void>;
}

/** The AWS account that is configured, else the local endpoint of the data directory. */
export const placeOfSandboxes = (request: PlaceRequest): Promise<SandboxPlace> =>
  isConfigured(request.environment) ? configuredPlace(request) : localPlace(request);

/** Only what somebody has set on purpose leads to an AWS account. */
const isConfigured = (environment: NodeJS.ProcessEnv): boolean =>
  Boolean(environment.AWS_ENDPOINT_URL ?? environment.MNGR_FARGATE_SUBNETS ?? environment.SANDBOX_STACK);

async function configuredPlace({ environment, dataDirectory, signal }: PlaceRequest): Promise<SandboxPlace> {
  const { loadProviderConfig } = await import('../../mngr/index.js');
  const stack = environment.SANDBOX_STACK;
  const part = 'sandboxes';
  const { config } = await loadProviderConfig({ baseDirectory: dataDirectory, environment, stack, part, signal });
  return { config: asSandboxes(config), down: () => Promise.resolve() };
}

/** The local endpoint of this data directory, with the stack that this package has. */
async function localPlace(request: PlaceRequest): Promise<SandboxPlace> {
  const { environment, dataDirectory, onProgress, signal } = request;
  const { up, down, status } = await import('../../local/index.js');
  const stateDirectory = join(dataDirectory, 'local');
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const assemblyDirectory = await sandboxAssembly(request);
  onProgress('starting the local endpoint');
  const runtime = runtimeOf(environment.SANDBOX_RUNTIME);
  const description = await up({ assemblyDirectory, stateDirectory, runtime, onProgress, signal });
  const { env } = description;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  noteRuntime(await status({ stateDirectory }), runtime, onProgress);
  return {
    config: await configOf(description, request),
    aws: { endpoint: env.AWS_ENDPOINT_URL, credentials: () => Promise.resolve(credentials) },
    down: async () => {
      await down({ stateDirectory });
    },
  };
}

/** What the endpoint's stack says about its sandboxes. */
async function configOf(description: LocalDescription, request: PlaceRequest): Promise<ProviderConfig> {
  const { stackName, region, outputs } = description;
  const { hasSandboxes, loadProviderConfig } = await import('../../mngr/index.js');
  const part = hasSandboxes(outputs) ? 'sandboxes' : 'hosts';
  if (part === 'hosts') {
    request.onProgress(
      `the stack ${stackName} of SANDBOX_ASSEMBLY has no sandboxes, so they run as agents' hosts: synthesize it with "-c sandbox=true"`,
    );
  }
  const { config } = await loadProviderConfig({
    baseDirectory: request.dataDirectory,
    environment: { MNGR_FARGATE_AWS_REGION: region },
    stack: stackName,
    part,
    // Its outputs are known, so that CloudFormation needn't be asked for them.
    stackLookup: {
      region: () => Promise.resolve(region),
      outputs: () => Promise.resolve({ stackName, outputs }),
    },
    signal: request.signal,
  });
  return asSandboxes(config);
}

/** The service reaches its hosts directly, and gives them their limits itself. */
const asSandboxes = (config: ProviderConfig): ProviderConfig => ({
  ...config,
  transport: 'direct',
  default_idle_timeout: 0,
  default_max_age: undefined,
});

type RuntimeKind = 'auto' | 'container' | 'process';

function runtimeOf(text: string | undefined): RuntimeKind {
  if (text === undefined || text === '') return 'auto';
  if (text === 'auto' || text === 'container' || text === 'process') return text;
  throw new MngrFargateError('usage', `SANDBOX_RUNTIME is ${JSON.stringify(text)}: use auto, container or process`);
}

/** A service that nobody has told how to run sandboxes says when they aren't in containers. */
function noteRuntime({ runtime }: LocalStatus, wanted: RuntimeKind, onProgress: (line: string) => void): void {
  if (runtime?.kind !== 'process' || wanted === 'process') return;
  onProgress(
    "sandboxes run as processes of this machine, so don't run code in them that you don't trust: " +
      'to have them in containers, start Docker or Podman, and let one run of this end with --down',
  );
}
