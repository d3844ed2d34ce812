import { join } from 'node:path';
import { DEFAULT_STACK_NAME } from '../../lib/contract/outputs';
import { Endpoint } from '../../lib/local/endpoint';
import type { TaskRuntime } from '../../lib/local/runtimes/runtime';
import { ProcessRuntime } from '../../lib/local/runtimes/process';
import { loadAssembly } from '../../lib/local/template/assembly';
import type { EndpointMessage, EndpointSettings } from './endpoint';
import { ObservedRuntime } from './observed-runtime';
import { SshServerRuntime } from './ssh-server-runtime';

/**
 * Program of the process that serves the endpoint of a bench, so that its work isn't counted as the launcher's and
 * doesn't hold it up. Ends, with everything it runs, when the bench says so or is gone.
 */
async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as EndpointSettings;
  const endpoint = await Endpoint.start({
    assembly: loadAssembly(settings.assembly, DEFAULT_STACK_NAME),
    stackName: DEFAULT_STACK_NAME,
    runtime: await runtimeFor(settings),
  });
  process.once('disconnect', () => {
    void endpoint.destroy().then(() => process.exit(0));
  });
  send({ type: 'ready', description: endpoint.description });
}

async function runtimeFor({ runtime, folder }: EndpointSettings): Promise<TaskRuntime> {
  if (runtime === 'ssh-servers') return new SshServerRuntime(join(folder, 'tasks'));
  const processes = await ProcessRuntime.create({ stateDirectory: folder, endpointId: 'bench' });
  return new ObservedRuntime(processes, (accepted) => send({ type: 'accepted', ...accepted }));
}

const send = (message: EndpointMessage): void => {
  process.send?.(message);
};

void main();
