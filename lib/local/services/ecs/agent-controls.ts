import * as z from 'zod';
import { UnknownTaskError } from '../../control/errors';
import type { ControlRoutes } from '../../control/routes';
import type { World } from '../../world';
import { nameFrom } from './arns';
import { ecsContext } from './context';
import { execAgents } from './exec-agents';

const stopSchema = z.strictObject({
  /** Id or ARN. */
  task: z.string(),
  /** Default: every container of the task. */
  container: z.string().optional(),
});

/** What tests may do to the agents of containers. */
export const agentControlRoutes = (world: World): ControlRoutes => ({
  'POST sessions/stop-agent': (body) => {
    const { task, container: name } = stopSchema.parse(body);
    const record = [...world.part(ecsContext).tasks.all()].find(({ id }) => id === nameFrom(task));
    if (record === undefined) throw new UnknownTaskError(`there is no task ${task}`);
    const containers = (record.task.containers ?? []).filter(
      (container) => name === undefined || container.name === name,
    );
    const stopped = containers.filter((container) => world.part(execAgents).stop(record, container));
    if (stopped.length === 0) {
      throw new UnknownTaskError(`no agent runs in ${name === undefined ? '' : `${name} of `}task ${task}`);
    }
    return { stopped: stopped.map((container) => container.name) };
  },
});
