import type { Task } from '@aws-sdk/client-ecs';
import type { TaskRecord } from './task-record';

/** A task as an answer shows it; its tags only when they were asked for. */
export const describedTask = (record: TaskRecord, withTags: boolean): Task => ({
  ...record.task,
  containers: record.task.containers?.map((container) => ({ ...container })),
  attachments: record.task.attachments?.map((attachment) => ({ ...attachment })),
  tags: withTags ? record.tags : [],
});
