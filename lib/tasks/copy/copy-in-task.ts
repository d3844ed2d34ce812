import type { CopyOptions, CopyResult } from '../../ssh/copy/report';
import type { EcsTasks } from '../ecs-tasks';
import { execInTask } from '../exec/exec-in-task';
import type { Target } from '../resolve';
import { copyFromContainer } from './copy-from-container';
import { copyToContainer } from './copy-to-container';
import type { RunInContainer } from './script-run';

/** Copies a file or a folder from a task's container, over ECS Exec. Throws as `copyFromContainer` and `execInTask`. */
export const copyFromTask = (
  tasks: EcsTasks,
  target: Target,
  remote: string,
  local: string,
  options: CopyOptions = {},
): Promise<CopyResult> => copyFromContainer(runIn(tasks, target), remote, local, options);

/** Copies a file or a folder into a task's container, over ECS Exec. Throws as `copyToContainer` and `execInTask`. */
export const copyToTask = (
  tasks: EcsTasks,
  target: Target,
  local: string,
  remote: string,
  options: CopyOptions = {},
): Promise<CopyResult> => copyToContainer(runIn(tasks, target), local, remote, options);

const runIn =
  (tasks: EcsTasks, target: Target): RunInContainer =>
  (command, streams) =>
    execInTask(tasks, target, { command, ...streams, needsShell: true });
