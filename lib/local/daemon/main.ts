import { readFileSync } from 'node:fs';
import { isMngrFargateError } from '../../contract/errors';
import { LocalFiles, daemonConfigurationSchema } from './files';
import type { DaemonConfiguration } from './files';
import type { DaemonMessage } from './start';
import { Endpoint } from '../endpoint';
import { chooseRuntimeWithImages } from '../runtimes';
import { loadAssembly } from '../template/assembly';
import type { Assembly } from '../template/assembly';
import type { TaskRuntime } from '../runtimes';

/** The process behind `mngr-fargate local up`. Started with the path of its configuration; ends on SIGTERM. */
async function main(configurationFile: string): Promise<void> {
  const configuration = daemonConfigurationSchema.parse(JSON.parse(readFileSync(configurationFile, 'utf8')));
  const files = new LocalFiles(configuration.stateDirectory);
  const assembly = loadAssembly(configuration.assemblyDirectory, configuration.stackName);
  // The images are built now, so that the first task needn't wait for them.
  const runtime = await chooseRuntimeWithImages(
    { kind: configuration.runtime, stateDirectory: files.runtime, endpointId: files.endpointId },
    assembly.images.values(),
    (line) => tell({ kind: 'progress', line }),
  );
  const endpoint = await listen(configuration, files, assembly, runtime);
  files.writeRecord({
    pid: process.pid,
    port: Number(new URL(endpoint.description.endpoint).port),
    runtime: runtime.kind,
    assemblyHash: configuration.assemblyHash,
    description: endpoint.description,
  });
  log(`serving ${configuration.stackName} on ${endpoint.description.endpoint}`);

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    log('stopping; tasks keep running');
    void endpoint
      .stop()
      .catch(logFault)
      .finally(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // The process that started the daemon may have ended before it is told.
  tell({ kind: 'ready' });
}

async function listen(
  configuration: DaemonConfiguration,
  files: LocalFiles,
  assembly: Assembly,
  runtime: TaskRuntime,
): Promise<Endpoint> {
  const { stackName, region, accountId, port, portMayChange } = configuration;
  const options = { assembly, stackName, region, accountId, runtime, stateDirectory: files.state, onFault: logFault };
  try {
    return await Endpoint.start({ ...options, port });
  } catch (error) {
    if (!portMayChange || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return Endpoint.start({ ...options, port: 0 });
  }
}

function tell(message: DaemonMessage): void {
  if (message.kind === 'progress') log(message.line);
  if (process.connected) process.send?.(message, () => undefined);
}

function log(line: string): void {
  console.log(`${new Date().toISOString()} ${line}`);
}

function logFault(error: unknown): void {
  console.error(`${new Date().toISOString()} fault:`, error);
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  logFault(error);
  const failure: DaemonMessage = {
    kind: 'failed',
    code: isMngrFargateError(error) ? error.code : 'failed',
    message: error instanceof Error ? error.message : String(error),
    hint: isMngrFargateError(error) ? error.hint : undefined,
  };
  if (process.connected) process.send?.(failure, () => process.exit(1));
  else process.exit(1);
});
