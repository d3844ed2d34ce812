import { addJumpOption } from '../global-options';
import type { CommandRegistration } from '../runner';
import { mngrInstall } from './mngr-install';
import { mngrSync } from './mngr-sync';

/** `mngr sync` and what else makes mngr work with the hosts */
export const mngrCommand: CommandRegistration = (program, runner) => {
  const mngr = program.command('mngr').description('make mngr work with the hosts');
  const sync = mngr
    .command('sync')
    .description("write the running hosts into the dynamic_hosts.toml of mngr's built-in ssh provider")
    .option('--pool <name>', "name of the provider in mngr's settings (default: the name given with --provider)")
    .option('--timeout <duration>', 'keep the known hosts if AWS takes longer than this', '8s');
  addJumpOption(sync).action(runner.action(mngrSync));
  mngr
    .command('install')
    .description('install the provider plugin for mngr')
    .option('--python <path>', 'Python to install it for (default: the one that runs the mngr on the PATH)')
    .option('--dry-run', 'only print what would be done')
    .action(runner.action(mngrInstall));
};
