import type { CliContext } from '../context';
import { addJumpOption } from '../global-options';
import { MngrFargateError } from '../../contract/errors';
import type { CopyOptions, CopyResult } from '../../ssh';
import type { CopyEnds } from '../parse/remote-path';
import { parseCopy } from '../parse/remote-path';
import type { TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget } from '../parse/target';
import { showCopy } from '../progress/copy-progress';
import type { CommandRegistration } from '../runner';
import { withTaskTarget } from '../target';

async function cp(
  context: CliContext,
  source: string,
  destination: string,
  targetOptions: TargetOptions,
): Promise<void> {
  await showCopy(context, source, destination, copyWork(context, parseCopy(source, destination), targetOptions));
}

/** The copy, over SSH for a host and over ECS Exec for any other task. Throws `usage` before anything is done. */
function copyWork(
  context: CliContext,
  { direction, reference, remote, local }: CopyEnds,
  targetOptions: TargetOptions,
): (options: CopyOptions) => Promise<CopyResult> {
  const given = parseTarget(reference, targetOptions, context.options.cluster);
  if (given.kind !== 'host') {
    return (options) =>
      withTaskTarget(context, given, async (target, tasks) => {
        const { copyFromTask, copyToTask } = await import('../../tasks/index.js');
        return direction === 'up'
          ? copyToTask(tasks, target, local, remote, options)
          : copyFromTask(tasks, target, remote, local, options);
      });
  }
  if (given.container !== undefined) {
    throw new MngrFargateError('usage', 'cp to or from a host takes no --container', {
      hint: 'name its task with --cluster and --task, and write the path as :path',
    });
  }
  const host = given.reference;
  return (options) =>
    context.withHosts((hosts) =>
      direction === 'up' ? hosts.upload(host, local, remote, options) : hosts.download(host, remote, local, options),
    );
}

/** `cp SRC DST` */
export const cpCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('cp')
    .description('copy a file or a folder to a host or any ECS task, or from one')
    .argument('<source>', 'path here, or NAME:path on a host, @NAME:path or :path in a task')
    .argument('<destination>', 'path here, or NAME:path on a host, @NAME:path or :path in a task')
    .addHelpText(
      'after',
      `
Examples:
  mngr-fargate cp ./src fox:/root/src
  mngr-fargate cp fox:/root/result.txt .
  mngr-fargate cp @coder:/var/log/coder ./logs
  mngr-fargate cp --cluster shop --service web ./config.json :/app/`,
    );
  addTargetOptions(addJumpOption(command)).action(runner.action(cp));
};
