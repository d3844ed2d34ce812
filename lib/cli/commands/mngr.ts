import type { CommandRegistration } from '../runner';
import { mngrInstall } from './mngr-install';
import { mngrSync } from './mngr-sync';

/** `mngr sync` and what else makes mngr work with the hosts */
export const mngrCommand: CommandRegistration = (program, runner) => {
  const mngr = program.command('mngr').description('make mngr work with the hosts');
  mngr
    .command('sync')
    .description("write the running hosts into the dynamic_hosts.toml of mngr's built-in ssh provider")
    .option('--pool <name>', "name of the provider in mngr's settings; without it that of --provider")
    .option('--timeout <duration>', 'keep the hosts known before when AWS takes longer', '8s')
    .action(runner.action(mngrSync));
  mngr
    .command('install')
    .description('put the provider plugin where mngr runs')
    .option('--python <path>', 'Python to install it for; without it the one of the mngr on the PATH')
    .option('--dry-run', 'say what would be done and do nothing')
    .action(runner.action(mngrInstall));
};
