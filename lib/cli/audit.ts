import { MngrFargateError } from '../contract/errors';
import type { AuditEntry, AuditOptions, TaskSelector } from '../tasks/index';
import type { TaskPlace } from '../mngr/index';
import { printable, printableLines } from '../util/printable';
import type { CliContext } from './context';
import type { GivenTarget } from './parse/target';
import { taskChoice } from './target';

const SHORT_ID = 8;
/** Characters of a command that are shown to a person. */
const MOST_SHOWN = 300;

const WHAT: Readonly<Record<AuditEntry['kind'], string>> = {
  command: 'ran',
  port: 'forwarded ports',
  ssh: 'used SSH',
  shell: 'opened a shell',
};

/** `logs --audit`: one entry for each session, and on stderr what can't be seen. `tail`: only the last so many. */
export async function printAudit(
  context: CliContext,
  given: GivenTarget,
  { tail, ...range }: AuditOptions & { readonly tail?: number },
): Promise<void> {
  const { place, selector } = await auditPlace(context, given);
  const { taskAudit } = await import('../tasks/index.js');
  const { entries, unseen } = await context.withTasks(place, (tasks) => taskAudit(tasks, selector, range));
  for (const { what, hint } of unseen) {
    context.note(`mngr-fargate: not shown: ${what}`);
    if (hint !== undefined) context.note(`  ${hint}`);
  }
  for (const entry of tail === undefined ? entries : entries.slice(entries.length - Math.min(tail, entries.length))) {
    context.result(entry, () => entryText(entry));
  }
}

/** A host is its task. One that stopped hours ago is named by its task's ARN. */
async function auditPlace(
  context: CliContext,
  given: GivenTarget,
): Promise<{ readonly place: TaskPlace; readonly selector: TaskSelector }> {
  if (given.kind !== 'host') return taskChoice(context, given);
  const { config } = await context.loadConfig();
  const { taskArn } = await context.withHosts((hosts) => hosts.get(given.reference, { signal: context.signal }));
  return {
    place: { region: config.aws_region, profile: config.aws_profile, roleArn: config.aws_role_arn },
    selector: { cluster: config.ecs_cluster, task: taskArn, container: given.container },
  };
}

function entryText(entry: AuditEntry): string {
  const { timestamp, who, kind, command, task, container, endedAt, error, transcript } = entry;
  const where = [container, task?.slice(0, SHORT_ID)].filter((part) => part != null).join('/');
  const line = [
    timestamp,
    who === null ? '(unknown)' : (who.split(':').pop() ?? who),
    ...(where === '' ? [] : [where]),
    kind === 'command' ? `${WHAT.command}: ${shortened(command ?? '(unknown)')}` : WHAT[kind],
    ...(endedAt === null ? [] : [`(until ${endedAt})`]),
    ...(error === null ? [] : [`(refused: ${error})`]),
  ].join(' ');
  const shown = printableLines(transcript ?? '').replace(/\n+$/, '');
  const lines = shown === '' ? [] : shown.split('\n').map((one) => `    ${one}`);
  return `${[printable(line), ...lines].join('\n')}\n`;
}

const shortened = (command: string): string => {
  const line = command.replaceAll(/\s+/g, ' ');
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
};

/** Throws `usage` for the options of `logs` that choose lines of containers. */
export function refuseForAudit(given: Readonly<Record<string, unknown>>): void {
  const [name] = Object.entries(given).find(([, value]) => value !== undefined && value !== false) ?? [];
  if (name === undefined) return;
  throw new MngrFargateError('usage', `--audit and --${name} cannot be used together`, {
    hint: 'choose a time with --since and --until',
  });
}
