import type { TaskStopCode } from '@aws-sdk/client-ecs';

/** Why a task ends. */
export interface Ending {
  readonly stopCode: TaskStopCode;
  readonly reason: string;
  /** Reason of a container's own, for example why its image couldn't be pulled. */
  readonly containerReason?: string;
  /** The container that it is the reason of; all of them without it. */
  readonly container?: string;
}

/** The task ended before it was running; carries what ECS says about it. */
export class StartFailure extends Error {
  constructor(readonly ending: Ending) {
    super(ending.reason);
  }
}

/** A failure that a container is to blame for; ECS repeats its reason as the task's. */
export const containerFailure = (reason: string, container: string | undefined): StartFailure =>
  new StartFailure({ stopCode: 'TaskFailedToStart', reason, containerReason: reason, container });
