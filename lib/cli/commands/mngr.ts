import type { CommandRegistration } from '../runner';
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
};
