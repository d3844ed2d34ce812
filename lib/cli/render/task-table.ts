import type { TaskSummary } from '../../tasks/index';
import type { Colour } from './colour';
import { formatSeconds } from './format';
import { renderTable } from './table';

const HEADINGS = ['TASK', 'SERVICE', 'REVISION', 'STATE', 'AGE', 'CONTAINERS', 'ZONE', 'ADDRESS'];

/** Seconds that a task has lived, until now or until it stopped; `-` while ECS says no time. */
export function taskAge({ createdAt, stoppedAt }: TaskSummary, now: Date): string {
  if (createdAt === null) return '-';
  const end = stoppedAt === null ? now.getTime() : Date.parse(stoppedAt);
  return formatSeconds((end - Date.parse(createdAt)) / 1000);
}

/** ECS's state; a task that runs and is to end says so. */
const stateText = ({ state, desiredState }: TaskSummary): string =>
  state === 'RUNNING' && desiredState === 'STOPPED' ? 'RUNNING (stopping)' : state;

function stateColour({ state, desiredState }: TaskSummary): Colour {
  if (state === 'STOPPED') return 'dim';
  return state === 'RUNNING' && desiredState === 'RUNNING' ? 'green' : 'yellow';
}

/** `web, db (exit code 1)` */
const containersText = ({ containers }: TaskSummary): string =>
  containers.map(({ name, exitCode }) => (exitCode === null ? name : `${name} (exit code ${exitCode})`)).join(', ') ||
  '-';

/** Why a task stopped or stops; undefined for one that goes on. */
function whyStopped({ stoppedReason, stopCode, containers }: TaskSummary): string | undefined {
  const reasons = containers.flatMap(({ name, reason }) => (reason === null ? [] : [`${name}: ${reason}`]));
  const said = [stoppedReason ?? stopCode ?? undefined, ...reasons].filter((part) => part !== undefined);
  return said.length === 0 ? undefined : said.join('; ');
}

/** The table of `tasks`. A task that stopped has its reason in place of its address. */
export function taskTable(tasks: readonly TaskSummary[], now: Date, colour: boolean): string {
  if (tasks.length === 0) return 'no tasks\n';
  const rows = tasks.map((task) => {
    const state = stateText(task);
    return [
      task.taskId,
      task.service ?? '-',
      `${task.family}:${task.revision}`,
      colour ? { text: state, colour: stateColour(task) } : state,
      taskAge(task, now),
      containersText(task),
      task.availabilityZone ?? '-',
      whyStopped(task) ?? task.privateIp ?? '-',
    ];
  });
  return renderTable([HEADINGS, ...rows]);
}
