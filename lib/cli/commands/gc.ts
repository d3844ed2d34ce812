import type { Collected, CollectOptions } from '../../hosts/reaping/collect';
import { confirm } from '../confirm';
import type { CliContext } from '../context';
import { EXIT_CODES, EXIT_DECLINED } from '../exit-codes';
import { counted } from '../render/format';
import { printable } from '../../util/printable';
import type { CommandRegistration } from '../runner';

interface GcOptions {
  readonly dryRun?: boolean;
  readonly stopUntagged?: boolean;
  readonly yes?: boolean;
}

/** What there is to do, or was done: one line each. */
function linesOf({ dryRun, stopped, reported, removed, failed, notLookedAt }: Collected): string[] {
  const [stop, remove] = dryRun ? ['would stop', 'would remove'] : ['stopped', 'removed'];
  return [
    ...stopped.map(({ host, taskArn, reason, because }) => `${stop} ${host ?? taskArn}: ${reason}, ${because}`),
    ...removed.map(({ kind, id, because }) => `${remove} ${kind} ${id}: ${because}`),
    ...reported.map(({ host, taskArn, reason, because }) => `left alone ${host ?? taskArn}: ${reason}, ${because}`),
    ...failed.map(({ id, error }) => `failed${id === '' ? '' : ` ${id}`}: ${error}`),
    ...notLookedAt.map(({ kind, because }) => `did not look for ${kind}: ${because}`),
  ].map(printable);
}

function report(context: CliContext, collected: Collected): number {
  const lines = linesOf(collected);
  context.result(collected, () => (lines.length === 0 ? 'nothing to do\n' : `${lines.join('\n')}\n`));
  if (collected.complete && collected.failed.length === 0) return 0;
  if (!collected.complete) context.note('not every task could be seen: run it again');
  return EXIT_CODES.failed;
}

async function gc(
  context: CliContext,
  { dryRun = false, stopUntagged = false, yes = false }: GcOptions,
): Promise<number> {
  const { signal } = context;
  const options = await context.hostsOptions({ signal });
  const { collectGarbage } = await import('../../hosts/reaping/collect.js');
  const collect = (request: CollectOptions): Promise<Collected> =>
    collectGarbage(options, { stopUntagged, signal, ...request });
  if (dryRun) return report(context, await collect({ dryRun: true }));
  if (yes) return report(context, await collect({}));

  const plan = await collect({ dryRun: true });
  const { stopped, removed } = plan;
  if (stopped.length + removed.length === 0) return report(context, { ...plan, dryRun: false });
  for (const line of linesOf(plan)) context.note(line);
  const question = `stop ${counted(stopped.length, 'task')} and remove ${counted(removed.length, 'leftover')}?`;
  if (!(await confirm(context, question, '--yes'))) {
    context.note('nothing was done');
    if (context.json) context.printJson({ ...plan, stopped: [], removed: [] });
    return EXIT_DECLINED;
  }
  const only = new Set([...stopped.map(({ taskArn }) => taskArn), ...removed.map(({ id }) => id)]);
  return report(context, await collect({ only }));
}

/** `gc` */
export const gcCommand: CommandRegistration = (program, runner) => {
  program
    .command('gc')
    .description('stop hosts that should have ended and remove leftovers, as the reaper does; asks for confirmation')
    .option('--dry-run', 'only print what would be done')
    .option('--stop-untagged', 'also stop tasks of the family that no launcher started')
    .option('-y, --yes', "don't ask for confirmation")
    .action(runner.action(gc));
};
