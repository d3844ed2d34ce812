import type { Command } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { CliContext } from '../../context';
import { parseCopy } from '../../parse/remote-path';
import { showCopy } from '../../progress/copy-progress';
import type { Runner } from '../../runner';
import { withSandbox } from './connection';

async function cp(context: CliContext, source: string, destination: string): Promise<void> {
  const { direction, reference: id, remote, local } = parseCopy(source, destination);
  if (id === undefined)
    throw new MngrFargateError('usage', 'the sandbox is not named', { hint: 'write that end as ID:path' });
  const [{ download }, { upload }, { SandboxFiles }] = await Promise.all([
    import('../../../ssh/copy/download.js'),
    import('../../../ssh/copy/upload.js'),
    import('../../sandbox-files.js'),
  ]);
  await showCopy(context, source, destination, (options) =>
    withSandbox(context, id, (sandbox) => {
      const channel = { files: async () => new SandboxFiles(sandbox) };
      return direction === 'up' ? upload(channel, local, remote, options) : download(channel, remote, local, options);
    }),
  );
}

/** `sandbox cp SRC DST` */
export function cpCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('cp')
    .description('copy a file or a folder to a sandbox or from one')
    .argument('<source>', 'path here, or ID:path in a sandbox')
    .argument('<destination>', 'path here, or ID:path in a sandbox')
    .addHelpText('after', '\nRelative paths in a sandbox start at /workspace.')
    .action(runner.action(cp));
}
