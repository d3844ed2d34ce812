import type { CliContext } from '../context';
import { parseCopy } from '../parse/remote-path';
import type { CommandRegistration } from '../runner';

async function cp(context: CliContext, source: string, destination: string): Promise<void> {
  const { direction, host, remote, local } = parseCopy(source, destination);
  await context.withHosts((hosts) =>
    direction === 'up'
      ? hosts.upload(host, local, remote, { signal: context.signal })
      : hosts.download(host, remote, local, { signal: context.signal }),
  );
  context.result({ source, destination }, () => '');
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
