import type { Task } from '@aws-sdk/client-ecs';
import { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import { isCapacity } from '../../aws/aws-errors';
import { oneLine } from '../../util/one-line';
import type { TaskLogs } from './task-logs';
import { agentContainer } from '../model/task-view';

const LOG_LINES = 10;

/** What to do about common reasons for which tasks stop (ECS developer guide, "Stopped tasks error messages"). */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /CannotPullContainer/i,
    'check that the image exists, that the execution role may pull it, and that the subnets reach the registry',
  ],
  [
    /ResourceInitializationError/i,
    'check that the subnets reach ECR, CloudWatch Logs and Secrets Manager (public IP, NAT or endpoints)',
  ],
  [/OutOfMemory|OOM/i, 'give the host more memory (`--memory`)'],
  [/Spot/i, 'AWS reclaimed the Spot capacity: create the host again, or without Spot'],
  [/exec format error|CannotStartContainer/i, 'check that the image matches the architecture and has its entrypoint'],
];

/** True once ECS reports why and how a task stopped. */
export const hasEnded = (task: Task): boolean => task.lastStatus === 'STOPPED';

/** Why a task stopped before its host was ready: ECS's reasons, the exit code, the last lines of its log, and a hint. */
export async function stoppedError(
  task: Task,
  name: string,
  config: ProviderConfig,
  logs: TaskLogs,
): Promise<MngrFargateError> {
  const container = agentContainer(task, config.container_name);
  const { stopCode, stoppedReason, taskArn = '', taskDefinitionArn = '' } = task;
  const lines = await logs.last({ taskArn, taskDefinitionArn }, LOG_LINES);
  const exitCode = container?.exitCode;
  const parts = [
    stoppedReason === undefined ? undefined : oneLine(stoppedReason),
    container?.reason === undefined ? undefined : oneLine(container.reason),
    exitCode === undefined ? undefined : `exit code ${exitCode}`,
    lines.length === 0 ? undefined : `last log line: ${JSON.stringify(lines.at(-1))}`,
  ].filter((part) => part !== undefined);
  const text = [stoppedReason, container?.reason, exitCode === 137 ? 'OOM' : ''].join(' ');
  return new MngrFargateError(
    isCapacity(stoppedReason ?? '') ? 'no-capacity' : 'task-stopped',
    `the task of host ${name} stopped before it was ready: ${parts.join('; ') || 'ECS gave no reason'}`,
    {
      hint: ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? 'see the task’s log (`mngr-fargate logs`)',
      details: {
        taskArn,
        stopCode: stopCode ?? null,
        stoppedReason: stoppedReason ?? null,
        containerReason: container?.reason ?? null,
        exitCode: exitCode ?? null,
        logLines: lines,
      },
    },
  );
}
