import { SHELL_STARTED_BY, SHELL_TAGS } from '../../contract/shell-tasks';
import type { ReaperRules, Verdict } from './rules';
import type { TaskFacts } from './task-facts';

/**
 * What to do about a task of `shell`. Its own watcher ends it; the reaper does if that has failed. `now` is AWS's time.
 */
export function judgeShell(task: TaskFacts, { expiryGrace }: ReaperRules, now: number): Verdict {
  const { live, startedBy, createdAt, startedAt = createdAt, tags } = task;
  if (!live || startedBy !== SHELL_STARTED_BY) return { do: 'keep' };
  if (tags === undefined) {
    return { do: 'report', reason: 'tags-not-shown', because: "ECS did not return the tags of a shell's task" };
  }
  const written = tags[SHELL_TAGS.maxLifetime] ?? '';
  if (!/^\d{1,10}$/.test(written)) {
    const because = `${SHELL_TAGS.maxLifetime} is ${JSON.stringify(written)}, which is not a number of seconds`;
    return { do: 'report', reason: 'unreadable-expiry', because };
  }
  if (startedAt === undefined) return { do: 'keep' };
  const end = startedAt + Number(written) * 1000;
  if (now <= end + expiryGrace * 1000) return { do: 'keep' };
  const because = `a shell's task whose longest life ended at ${new Date(end).toISOString()}`;
  return { do: 'stop', reason: 'expired', because };
}
