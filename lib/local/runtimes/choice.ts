import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { ContainerRuntime } from './container';
import { findEngine } from './engine';
import { ProcessRuntime } from './process';
import type { TaskRuntime } from './runtime';

export interface RuntimeChoice {
  /**
   * `auto` uses an engine if one answers, otherwise processes. An endpoint with tasks names the kind that runs them.
   */
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

const START_AN_ENGINE = 'start Docker or Podman, or point DOCKER_HOST at its socket';

/** Makes the runtime asked for. If this machine can't run tasks, the error says what to start or install. */
export async function chooseRuntime(choice: RuntimeChoice): Promise<TaskRuntime> {
  const engine = choice.kind === 'process' ? undefined : await findEngine(choice.environment);
  if (engine !== undefined) return new ContainerRuntime(engine, choice);
  if (choice.kind === 'container') {
    throw new MngrFargateError('failed', 'no container engine answers', { hint: START_AN_ENGINE });
  }
  try {
    return await ProcessRuntime.create(choice);
  } catch (error) {
    if (choice.kind === 'process' || !isMngrFargateError(error)) throw error;
    throw new MngrFargateError(error.code, `no container engine answers, and ${error.message}`, {
      cause: error,
      hint: `${START_AN_ENGINE}, or ${error.hint}`,
    });
  }
}
