import type { TaskStopCode } from '@aws-sdk/client-ecs';

/** Why a task ends. */
export interface Ending {
  readonly stopCode: TaskStopCode;
  readonly reason: string;
  /** The reason of one container, for example why its image couldn't be pulled. */
  readonly containerReason?: string;
  /** The container with that reason; without it, all of them. */
  readonly container?: string;
}

/** The task ended before it was running; carries what ECS says about it. */
export class StartFailure extends Error {
  constructor(readonly ending: Ending) {
    super(ending.reason);
  }
}

/** A failure caused by a container; ECS repeats its reason as the task's. */
export const containerFailure = (reason: string, container: string | undefined): StartFailure =>
  new StartFailure({ stopCode: 'TaskFailedToStart', reason, containerReason: reason, container });

/** A failure of what a task needs before its containers: secrets and volumes. */
export const resourceFailure = (reason: string): StartFailure =>
  new StartFailure({ stopCode: 'TaskFailedToStart', reason: `ResourceInitializationError: ${reason}` });
