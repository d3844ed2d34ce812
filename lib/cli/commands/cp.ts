import type { CliContext } from '../context';
import type { SkippedEntry } from '../../ssh';
import { parseCopy } from '../parse/remote-path';
import { CopyProgressLine } from '../progress/copy-progress';
import type { CommandRegistration } from '../runner';

async function cp(context: CliContext, source: string, destination: string): Promise<void> {
  const { direction, host, remote, local } = parseCopy(source, destination);
  const progress = new CopyProgressLine(context.io);
  const options = {
    signal: context.signal,
    onProgress: progress.update,
    onSkip: ({ path, reason }: SkippedEntry): void => {
      progress.clear();
      context.note(`mngr-fargate: skipped ${path}: ${reason}`);
    },
  };
  const { skipped } = await context
    .withHosts((hosts) =>
      direction === 'up' ? hosts.upload(host, local, remote, options) : hosts.download(host, remote, local, options),
    )
    .finally(() => progress.clear());
  context.result({ source, destination, skipped }, () => '');
}

/** `cp SRC DST` */
export const cpCommand: CommandRegistration = (program, runner) => {
  program
    .command('cp')
    .description('copy a file or a folder to a host or from one')
    .argument('<source>', 'path here, or NAME:path on a host')
    .argument('<destination>', 'path here, or NAME:path on a host')
    .addHelpText(
      'after',
      `
Examples:
  mngr-fargate cp ./src fox:/root/src
  mngr-fargate cp fox:/root/result.txt .`,
    )
    .action(runner.action(cp));
};
