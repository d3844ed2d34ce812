import type { Tag, Task } from '@aws-sdk/client-ecs';
import type { TaskAddress } from '../../runtimes/runtime';

/** How the task's network interface is made. */
export interface TaskNetworking {
  readonly subnetId: string;
  readonly securityGroups: readonly string[];
  readonly assignPublicIp: boolean;
}

/** What was done to a task by faults on request; kept with it so that a restarted endpoint goes on with it. */
export interface TaskFaults {
  readonly stopWhilePending?: string;
  readonly imagePull?: string;
  /** Milliseconds after RUNNING. */
  readonly diesAfter?: number;
  readonly withoutContainer?: boolean;
  readonly wrongProof?: boolean;
  readonly intruder?: 'before' | 'instead';
}

/** A task as ECS shows it, and what else the endpoint knows about it. */
export interface TaskRecord {
  readonly id: string;
  readonly cluster: string;
  /** Order of creation. */
  readonly sequence: number;
  /** Without its tags, which only show on request. */
  readonly task: Task;
  tags: Tag[];
  readonly networking: TaskNetworking;
  readonly faults: TaskFaults;
  /** Where the task's sshd answers. */
  address?: TaskAddress;
  networkInterfaceId?: string;
  /** True from the moment the runtime was asked to start the first container. */
  containerStarted: boolean;
  /** Names of the containers that the runtime was asked to start; absent where there is only one. */
  started?: string[];
  /** Made by the control API without a container behind it. */
  readonly synthetic?: boolean;
}
