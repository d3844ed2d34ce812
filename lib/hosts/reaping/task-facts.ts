import type { Task } from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT, DEFAULT_BOOT_LEASE_SECONDS } from '../../contract/boot-variables';
import { parseStartedBy } from '../../contract/host-name';
import { familyOf } from '../../contract/task-definition-family';
import { HOST_TAGS } from '../../contract/tags';
import { isLive, tagsOf } from '../model/task-view';

/** What the reaper's rules look at. Unless stated otherwise, times are milliseconds since 1970 by ECS's own clock. */
export interface TaskFacts {
  readonly arn: string;
  readonly family: string;
  readonly live: boolean;
  /** True once ECS says RUNNING and hasn't begun to stop it. */
  readonly running: boolean;
  readonly createdAt: number | undefined;
  readonly startedAt: number | undefined;
  /** Undefined if ECS didn't return them. */
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** The name it was launched with; undefined for a task that no launcher started. */
  readonly launchedAs: string | undefined;
  readonly startedBy: string | undefined;
  /** Seconds; 0 is a lease that never runs out. */
  readonly bootLease: number;
  /** True if the task belongs to an ECS service, which would start it again at once. */
  readonly ofService: boolean;
}

export function factsOf(task: Task): TaskFacts {
  return {
    arn: task.taskArn ?? '',
    family: familyOf(task.taskDefinitionArn ?? ''),
    live: isLive(task),
    running: isLive(task) && task.lastStatus === 'RUNNING',
    createdAt: task.createdAt?.getTime(),
    startedAt: task.startedAt?.getTime(),
    tags: task.tags === undefined ? undefined : tagsOf(task),
    launchedAs: parseStartedBy(task.startedBy ?? '')?.hostName,
    startedBy: task.startedBy,
    bootLease: bootLeaseOf(task),
    ofService: task.group?.startsWith('service:') === true,
  };
}

/** The part of a task definition's ARN that its revisions share. */

/** From the override of RunTask; the image's default if there is none, or if the image would refuse it. */
function bootLeaseOf(task: Task): number {
  const text = task.overrides?.containerOverrides
    ?.flatMap(({ environment = [] }) => environment)
    .find(({ name }) => name === BOOT_ENVIRONMENT.bootLeaseSeconds)?.value;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : DEFAULT_BOOT_LEASE_SECONDS;
}

/** True for a task that was launched as a host. IAM policies recognize hosts by the same tag. */
export const isTagged = ({ tags = {} }: TaskFacts): boolean => tags[HOST_TAGS.hostId] !== undefined;

/** True for a host that belongs to a CloudFormation stack, which starts, replaces and stops it. */
export const isOfStack = ({ tags = {} }: TaskFacts): boolean => tags[HOST_TAGS.stackId] !== undefined;

/** Provider and current name, which two hosts must not share. Undefined if the task is not a host. */
export function nameKeyOf({ tags = {} }: Pick<TaskFacts, 'tags'>): string | undefined {
  const [provider, name] = [tags[HOST_TAGS.provider], tags[HOST_TAGS.hostName]];
  return provider === undefined || name === undefined ? undefined : `${provider}/${name}`;
}
