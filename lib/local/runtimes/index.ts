import { MngrFargateError } from '../../contract/errors';
import { ContainerRuntime } from './container';
import { findEngine } from './engine';
import { missingPrograms } from './prerequisites';
import { ProcessRuntime } from './process';
import type { TaskRuntime } from './runtime';

export { ContainerRuntime } from './container';
export { findEngine } from './engine';
export { missingPrograms, packageSource } from './prerequisites';
export { ProcessRuntime } from './process';
export * from './runtime';

export interface RuntimeChoice {
  /** `auto` takes an engine where one answers, else processes. An endpoint with tasks names the kind that runs them. */
  readonly kind: 'auto' | 'container' | 'process';
  /** Folder of the endpoint's own, made with mode 0700; the runtimes make folders of their own in it. */
  readonly stateDirectory: string;
  /** Tells the tasks of several endpoints on one machine apart. The same after a restart of the endpoint. */
  readonly endpointId: string;
  /** For processes: `off` never uses namespaces. Default `auto`. */
  readonly namespaces?: 'auto' | 'off';
  /** Addresses that tasks can have at one time. Default: about four million. A small pool makes reuse likely. */
  readonly addressPoolSize?: number;
  /** Where `DOCKER_HOST` and the like are read. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Makes the runtime asked for. Throws `failed` with what to install or start where this machine can't run tasks. */
export async function chooseRuntime(choice: RuntimeChoice): Promise<TaskRuntime> {
  const engine = choice.kind === 'process' ? undefined : await findEngine(choice.environment);
  if (engine !== undefined) return new ContainerRuntime(engine, choice);
  if (choice.kind === 'container') {
    throw new MngrFargateError('failed', 'no container engine answers', { hint: START_AN_ENGINE });
  }
  const missing = missingPrograms();
  if (missing !== undefined) {
    throw new MngrFargateError(
      'failed',
      `tasks can't run here: no container engine ${choice.kind === 'auto' ? 'answers' : 'is wanted'}, and for processes ${missing.programs.join(', ')} ${missing.programs.length === 1 ? 'is' : 'are'} missing`,
      { hint: choice.kind === 'auto' ? `${START_AN_ENGINE}; or: ${missing.command}` : missing.command },
    );
  }
  return ProcessRuntime.create(choice);
}

const START_AN_ENGINE = 'start Docker or Podman, or point DOCKER_HOST at its socket';
