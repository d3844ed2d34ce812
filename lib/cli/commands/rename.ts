import type { CliContext } from '../context';
import type { CommandRegistration } from '../runner';
import { printable } from '../../util/printable';

async function rename(context: CliContext, reference: string, name: string): Promise<void> {
  const host = await context.withHosts((hosts) => hosts.rename(reference, name, { signal: context.signal }));
  context.result(host, () => `${printable(`${reference} is now ${host.name}`)}\n`);
}

/** `rename HOST NAME` */
export const renameCommand: CommandRegistration = (program, runner) => {
  program
    .command('rename')
    .alias('mv')
    .description('rename a host without interrupting what runs on it')
    .argument('<host>', 'name, host id or task ARN')
    .argument('<name>', 'new name')
    .action(runner.action(rename));
};
