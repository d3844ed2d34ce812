import { Endpoint } from '../../../lib/local/endpoint';
import type { EndpointOptions } from '../../../lib/local/endpoint';
import { DEFAULT_STACK_NAME } from '../../../lib/contract/outputs';
import type { TaskRuntime } from '../../../lib/local/runtimes/runtime';
import { loadAssembly } from '../../../lib/local/template/assembly';
import type { Assembly } from '../../../lib/local/template/assembly';
import type { Template } from '../../../lib/local/template/stack';
import { FakeRuntime } from './fake-runtime';
import { SMALL_ASSEMBLY } from './local-endpoint-template';

export interface LocalEndpointOptions<Runtime extends TaskRuntime> extends Partial<
  Omit<EndpointOptions, 'assembly' | 'runtime'>
> {
  /** Default: a FakeRuntime. */
  readonly runtime?: Runtime;
  /** A synthesized `cdk.out`; default: a small stack of the same kind, see local-endpoint-template.ts. */
  readonly assemblyDirectory?: string;
  /** Resources that the small stack has besides. */
  readonly resources?: Template['Resources'];
  /** Image folders that the small stack has besides, by the tags that name them. */
  readonly images?: Assembly['images'];
}

/** What a client's constructor takes to use the endpoint as the account's administrator. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

export interface LocalEndpoint<Runtime extends TaskRuntime> {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: ClientSettings['credentials'];
  /** For `new ECSClient(local.client)`. */
  readonly client: ClientSettings;
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Endpoint['description']['env'];
  readonly control: Endpoint['control'];
  readonly controlToken: string;
  /** What the endpoint's services are made from. */
  readonly world: Endpoint['world'];
  readonly runtime: Runtime;
  /** Errors that were the endpoint's own fault; a test can expect none. */
  readonly faults: unknown[];
  /** Stops serving; tasks run on. */
  readonly stop: () => Promise<void>;
  /** Stops serving and removes every task. */
  readonly destroy: () => Promise<void>;
}

const smallAssembly = (resources: Template['Resources'] = {}, images: Assembly['images'] = new Map()): Assembly => ({
  images: new Map([...SMALL_ASSEMBLY.images, ...images]),
  template: { ...SMALL_ASSEMBLY.template, Resources: { ...SMALL_ASSEMBLY.template.Resources, ...resources } },
});

/** An endpoint in this process, with a stack on it. */
export async function startLocalEndpoint<Runtime extends TaskRuntime = FakeRuntime>(
  options: LocalEndpointOptions<Runtime> = {},
): Promise<LocalEndpoint<Runtime>> {
  const { assemblyDirectory, resources, images, stackName = DEFAULT_STACK_NAME, ...rest } = options;
  const runtime = (options.runtime ?? new FakeRuntime()) as Runtime;
  const faults: unknown[] = [];
  const endpoint = await Endpoint.start({
    onFault: (error) => faults.push(error),
    ...rest,
    stackName,
    runtime,
    assembly:
      assemblyDirectory === undefined ? smallAssembly(resources, images) : loadAssembly(assemblyDirectory, stackName),
  });
  const { env, outputs, region, controlToken } = endpoint.description;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  return {
    endpoint: env.AWS_ENDPOINT_URL,
    region,
    credentials,
    client: { endpoint: env.AWS_ENDPOINT_URL, region, credentials },
    outputs,
    env,
    control: endpoint.control,
    world: endpoint.world,
    controlToken,
    runtime,
    faults,
    stop: () => endpoint.stop(),
    destroy: () => endpoint.destroy(),
  };
}
