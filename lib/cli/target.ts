import type { NamedTarget, TaskPlace } from '../mngr/index';
import type {
  Chooser,
  EcsTasks,
  GivenSelector,
  ResolveOptions,
  Target,
  TaskContainer,
  TaskSelector,
  TaskSummary,
} from '../tasks/index';
import type { CliContext } from './context';
import type { GivenTarget, TargetOptions } from './parse/target';
import { canAsk, pick } from './pick';
import { formatSeconds } from './render/format';

/** A task target with all that is needed to look for it. */
export interface TaskChoice {
  readonly place: TaskPlace;
  readonly selector: TaskSelector;
  readonly newest: boolean;
}

/** Which task is meant, by the options or by the target's name. Asks AWS for nothing but the stack's cluster. */
export async function taskChoice(
  context: CliContext,
  given: Exclude<GivenTarget, { readonly kind: 'host' }>,
): Promise<TaskChoice> {
  if (given.kind === 'task') return choiceOf(context, given.options);
  const { readTarget } = await import('../mngr/index.js');
  const target = await readTarget(await context.baseDirectory(), given.name);
  const { service, family, task, container } = target;
  const options = { service, family, task, container: given.container ?? container, newest: given.newest };
  return choiceOf(context, options, target);
}

async function choiceOf(context: CliContext, options: TargetOptions, target?: NamedTarget): Promise<TaskChoice> {
  const { newest = false, ...words } = options;
  const { placeInSelector } = await import('../tasks/index.js');
  const given: GivenSelector = { ...words, cluster: context.options.cluster ?? target?.cluster };
  const said = placeInSelector(given);
  const named = {
    region: said.region ?? context.options.region ?? target?.aws_region,
    profile: target?.aws_profile,
    roleArn: target?.aws_role_arn,
    cluster: said.cluster,
  };
  const place = await taskPlace(context, named);
  return { place, selector: { ...words, cluster: place.cluster }, newest };
}

/** Where tasks are looked for. The cluster is that of the provider where nothing else names one. */
export async function taskPlace(
  context: CliContext,
  named: Partial<TaskPlace> = {},
): Promise<TaskPlace & { readonly cluster: string }> {
  const { loadTaskPlace, providerCluster } = await import('../mngr/index.js');
  const request = await context.loadRequest();
  const place = await loadTaskPlace(request, named);
  return { ...place, cluster: place.cluster ?? (await providerCluster(request)) };
}

/**
 * Runs `work` with the one container of a task that is meant; on a terminal a person chooses among several. Throws as
 * `resolveTarget` of lib/tasks.
 */
export async function withTaskTarget<Result>(
  context: CliContext,
  given: Exclude<GivenTarget, { readonly kind: 'host' }>,
  work: (target: Target, tasks: EcsTasks) => Promise<Result>,
): Promise<Result> {
  const { place, selector, newest } = await taskChoice(context, given);
  const { resolveTarget } = await import('../tasks/index.js');
  return context.withTasks(place, async (tasks) =>
    work(await resolveTarget(tasks, selector, { ...resolveOptions(context), newest }), tasks),
  );
}

/** How a run of the program resolves targets: it asks where somebody can be asked. */
export const resolveOptions = (context: CliContext): ResolveOptions => ({
  signal: context.signal,
  choose: canAsk(context) ? chooser(context) : undefined,
});

const chooser = (context: CliContext): Chooser => ({
  task: (items) => pick(context, 'Which task?', { headings: TASK_HEADINGS, items, row: taskRow }),
  container: (items) => pick(context, 'Which container?', { headings: CONTAINER_HEADINGS, items, row: containerRow }),
});

const TASK_HEADINGS = ['TASK', 'OF', 'STATE', 'AGE', 'REVISION', 'ZONE', 'ADDRESS'];

function taskRow(task: TaskSummary): string[] {
  const { taskId, service, family, state, createdAt, revision, availabilityZone, privateIp } = task;
  const age = createdAt === null ? '-' : formatSeconds((Date.now() - Date.parse(createdAt)) / 1000);
  return [taskId, service ?? family, state, age, String(revision), availabilityZone ?? '-', privateIp ?? '-'];
}

const CONTAINER_HEADINGS = ['CONTAINER', 'STATE', 'ECS EXEC'];

const containerRow = ({ name, state, execAgent }: TaskContainer): string[] => [name, state, execAgent ?? 'no agent'];
