import { DEFAULT_STACK_NAME } from '../contract/outputs';
import type { Endpoint, EndpointOptions } from './endpoint';
import type { TaskRuntime } from './runtimes/runtime';

export interface StartEndpointOptions extends Omit<EndpointOptions, 'assembly' | 'runtime' | 'stackName'> {
  /** A synthesized `cdk.out`. */
  readonly assemblyDirectory: string;
  /** Default `mngr-fargate`. */
  readonly stackName?: string;
  readonly runtime: TaskRuntime;
}

/** Starts the endpoint in this process. `stop()` leaves its tasks running, `destroy()` removes them. */
export async function startEndpoint(options: StartEndpointOptions): Promise<Endpoint> {
  const [{ Endpoint }, { loadAssembly }] = await Promise.all([
    import('./endpoint.js'),
    import('./template/assembly.js'),
  ]);
  const { assemblyDirectory, stackName = DEFAULT_STACK_NAME, ...rest } = options;
  return Endpoint.start({ ...rest, stackName, assembly: loadAssembly(assemblyDirectory, stackName) });
}
