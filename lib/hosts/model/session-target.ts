import type { ManagedAgent, Task } from '@aws-sdk/client-ecs';
import { clusterNameOf } from '../../contract/task-arn';
import { agentContainer } from './task-view';

const EXEC_AGENT = 'ExecuteCommandAgent';

/** Why no session with a task is possible, now or ever; completes "host NAME can't be reached through Session Manager: …". */
export interface NoSession {
  readonly problem: string;
  /** True if waiting can't help. */
  readonly lasting: boolean;
}

const execAgent = (task: Task, containerName: string): ManagedAgent | undefined =>
  agentContainer(task, containerName)?.managedAgents?.find(({ name }) => name === EXEC_AGENT);

/** `ecs:CLUSTER_TASK_RUNTIME-ID`, as the agent of ECS Exec in the container calls itself, or why there is none. */
export function sessionTargetOf(task: Task, containerName: string): string | NoSession {
  if (task.lastStatus === 'STOPPED') return { problem: 'its task has stopped', lasting: true };
  if (task.enableExecuteCommand !== true) {
    return { problem: 'its task was started without the agent of ECS Exec', lasting: true };
  }
  const agent = execAgent(task, containerName);
  if (agent?.lastStatus === 'STOPPED') {
    return { problem: `its agent has stopped${agent.reason ? ` (${agent.reason})` : ''}`, lasting: true };
  }
  const runtimeId = agentContainer(task, containerName)?.runtimeId;
  if (agent?.lastStatus !== 'RUNNING' || runtimeId === undefined) {
    return { problem: `its agent is ${agent?.lastStatus ?? 'not running yet'}`, lasting: false };
  }
  return `ecs:${clusterNameOf(task.clusterArn ?? '')}_${(task.taskArn ?? '').split('/').pop()}_${runtimeId}`;
}
