import type { CommandRegistration } from '../runner';
import { configShow } from './config-show';
import { configWrite } from './config-write';

/** `config show` and `config write` */
export const configCommand: CommandRegistration = (program, runner) => {
  const config = program.command('config').description("show and write the provider block of mngr's config.toml");
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
};
