import { MngrFargateError } from '../../contract/errors';
import type { Host } from '../../hosts/model/types';
import type { TaskLogLine, TaskLogOptions, TaskSelector } from '../../tasks/index';
import { printableLines } from '../../util/printable';
import { printAudit, refuseForAudit } from '../audit';
import type { CliContext } from '../context';
import { EXIT_CODES } from '../exit-codes';
import { hasColour } from '../io';
import { parseSince } from '../parse/duration';
import { parseCount } from '../parse/size';
import type { TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget, TARGET_ARGUMENT } from '../parse/target';
import { LogLabels } from '../render/log-labels';
import type { CommandRegistration } from '../runner';
import { taskChoice } from '../target';

interface LogsOptions extends TargetOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly tail?: string;
  readonly filter?: string;
  readonly previous?: boolean;
  readonly audit?: boolean;
  readonly timestamps?: boolean;
}

/** The options that say which lines, checked. */
function lineOptions(context: CliContext, options: LogsOptions): TaskLogOptions {
  const { follow, previous, newest, filter } = options;
  const now = new Date();
  const since = options.since === undefined ? undefined : parseSince(options.since, now);
  const until = options.until === undefined ? undefined : parseSince(options.until, now, '--until');
  const tail =
    options.tail === undefined ? undefined : parseCount(options.tail, '--tail', { least: 0, most: 1_000_000 });
  if (follow === true && (until !== undefined || previous === true)) {
    throw new MngrFargateError(
      'usage',
      `--follow and ${until === undefined ? '--previous' : '--until'} cannot be used together`,
    );
  }
  if (since !== undefined && until !== undefined && since > until) {
    throw new MngrFargateError('usage', '--since is later than --until');
  }
  if (previous === true && options.task !== undefined) {
    throw new MngrFargateError('usage', '--previous chooses a task, and --task names one', {
      hint: 'leave one of them out',
    });
  }
  const onUnread = (reason: string): void => context.verboseNote(reason);
  return { follow, since, until, tail, filter, previous, newest, onUnread, signal: context.signal };
}

async function logs(context: CliContext, reference: string | undefined, options: LogsOptions): Promise<number> {
  const given = parseTarget(reference, options, context.options.cluster);
  const wanted = lineOptions(context, options);
  if (options.audit === true) {
    const { follow, filter, previous, newest, timestamps } = options;
    refuseForAudit({ follow, filter, previous, newest, timestamps });
    await printAudit(context, given, wanted);
    return 0;
  }
  try {
    if (given.kind === 'host') await hostLogs(context, given, { wanted, options });
    else {
      const { place, selector, newest } = await taskChoice(context, given);
      await context.withTasks(place, async (tasks) => {
        const { taskLogs } = await import('../../tasks/index.js');
        const labels = labelsOf(context);
        const onSources = labels.sources.bind(labels);
        await printLines(context, taskLogs(tasks, selector, { ...wanted, newest, onSources }), { options, labels });
      });
    }
    return 0;
  } catch (error) {
    // Ctrl-C is the normal end of following, not an error.
    if (options.follow === true && context.signal.aborted) return EXIT_CODES.aborted;
    throw error;
  }
}

/** A host's log: that of its agent container, unless another one is named. */
async function hostLogs(
  context: CliContext,
  { reference, container: other }: { readonly reference: string; readonly container?: string },
  { wanted, options }: { readonly wanted: TaskLogOptions; readonly options: LogsOptions },
): Promise<void> {
  const { config } = await context.loadConfig();
  const container = other ?? config.container_name;
  const host = await context.withHosts((hosts) =>
    wanted.previous === true
      ? hosts.list({ stopped: true }, { signal: context.signal }).then((all) => previousOf(all, reference))
      : hosts.get(reference, { signal: context.signal }),
  );
  const selector: TaskSelector = { cluster: config.ecs_cluster, task: host.taskArn, container };
  const place = { region: config.aws_region, profile: config.aws_profile, roleArn: config.aws_role_arn };
  await context.withTasks(place, async (tasks) => {
    const { taskLogs } = await import('../../tasks/index.js');
    const lines = taskLogs(tasks, selector, { ...wanted, previous: false, group: config.log_group });
    await printLines(context, lines, { options, labels: labelsOf(context) });
  });
}

/** The last host of a name that has stopped. Throws `not-found`. */
function previousOf(hosts: readonly Host[], reference: string): Host {
  const [last] = hosts
    .filter(({ name, state }) => name === reference && state === 'STOPPED')
    .sort((one, other) => (other.stoppedAt ?? '').localeCompare(one.stoppedAt ?? ''));
  if (last !== undefined) return last;
  throw new MngrFargateError('not-found', `no host ${reference} has stopped within the last hour`, {
    hint: 'leave out --previous to see the log of the running host',
  });
}

const labelsOf = ({ io }: CliContext): LogLabels => new LogLabels(hasColour(io.stdout, io.environment));

async function printLines(
  context: CliContext,
  lines: AsyncIterable<TaskLogLine>,
  { options: { timestamps = false }, labels }: { readonly options: LogsOptions; readonly labels: LogLabels },
): Promise<void> {
  for await (const { timestamp, message, task, container, service } of lines) {
    const time = timestamps ? `${timestamp} ` : '';
    context.result({ timestamp, message, task, container }, () =>
      labels.labelled({ task, container, service }, time + printableLines(message.replace(/\n$/, ''))),
    );
  }
}

/** `logs TARGET` */
export const logsCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('logs')
    .description('print what the containers of a host, a task or a service wrote (CloudWatch Logs)')
    .argument('[target]', TARGET_ARGUMENT);
  addTargetOptions(command)
    .option('-f, --follow', 'print new lines until Ctrl-C or until the task stops')
    .option('--since <time>', 'only lines after this time (2026-11-20T10:00:00Z) or from the last 10m')
    .option('--until <time>', 'only lines until this time, or until 10m ago')
    .option('--tail <lines>', 'only the last lines, this many')
    .option(
      '--filter <pattern>',
      "only lines that match this filter pattern of CloudWatch Logs, for example '?ERROR ?WARN'",
    )
    .option('--previous', 'the last task that stopped, instead of the running ones')
    .option('-t, --timestamps', 'print the time of each line')
    .option('--audit', 'who ran what there when, and what it showed (CloudTrail, and the audit log of ECS Exec)')
    .action(runner.action(logs));
};
