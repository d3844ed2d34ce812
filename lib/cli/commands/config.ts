import { addJumpOption } from '../global-options';
import type { CommandRegistration } from '../runner';
import { configSsh } from './config-ssh';
import { configShow } from './config-show';
import { configWrite } from './config-write';

/** `config show`, `config ssh` and `config write` */
export const configCommand: CommandRegistration = (program, runner) => {
  const config = program
    .command('config')
    .description("show and write the provider block of mngr's config.toml, and ssh's configuration");
  config
    .command('show')
    .description('print the configuration that the commands use, and where each value comes from')
    .action(runner.action(configShow));
  config
    .command('write')
    .description('write the deployed stack as [providers.NAME] into config.toml and change nothing else in it')
    .option(
      '--outputs-file <file>',
      'take the outputs from what "cdk deploy --outputs-file" or "describe-stacks" wrote',
    )
    .option('--provider-name <name>', 'name of the block (default: the name given with --provider)')
    .option('--dry-run', 'print the block and write nothing')
    .option('--mngr', "write mngr's own settings instead: an ssh provider that always has the running hosts")
    .option('--remove', 'with --mngr: remove these settings')
    .action(runner.action(configWrite));
  const ssh = config
    .command('ssh')
    .description("write a block into ssh's configuration, so that `ssh NAME`, scp, rsync and editors reach the hosts")
    .option('--file <file>', 'the configuration to write it into (default: ~/.ssh/config)')
    .option('--dry-run', 'print the block and write nothing')
    .option('--remove', 'take the block out again');
  addJumpOption(ssh).action(runner.action(configSsh));
};
