import type { CliContext } from '../context';
import { hasColour } from '../io';
import { parseDuration, WAITED_FOR } from '../parse/duration';
import { taskTable } from '../render/task-table';
import type { CommandRegistration } from '../runner';
import { taskChoice } from '../target';
import { shown } from '../watch';

interface TasksOptions {
  readonly service?: string;
  readonly family?: string;
  readonly stopped?: boolean;
  readonly watch?: boolean;
  readonly interval: string;
}

async function tasks(context: CliContext, options: TasksOptions): Promise<number> {
  const { service, family, stopped, watch } = options;
  const interval = parseDuration(options.interval, '--interval', WAITED_FOR);
  const { place, selector } = await taskChoice(context, { kind: 'task', options: { service, family } });
  const { findTasks } = await import('../../tasks/index.js');
  const { stdout, environment } = context.io;
  return context.withTasks(place, (ecs) =>
    shown(
      context,
      watch === true ? interval : undefined,
      () => findTasks(ecs, selector, { stopped, signal: context.signal }),
      (found) => taskTable(found, new Date(), hasColour(stdout, environment)),
    ),
  );
}

/** `tasks` */
export const tasksCommand: CommandRegistration = (program, runner) => {
  program
    .command('tasks')
    .description('list all ECS tasks of a cluster (--cluster), not only hosts')
    .option('--service <name>', 'only tasks of this ECS service')
    .option('--family <name>', 'only tasks of this task definition (FAMILY or FAMILY:REVISION)')
    .option('--stopped', 'also tasks that stopped within the last hour, and why')
    .option('--watch', 'update the list until Ctrl-C')
    .option('--interval <duration>', 'time between two updates of --watch', '2s')
    .action(runner.action(tasks));
};
