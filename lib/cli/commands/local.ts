import { collect } from '../global-options';
import type { CommandRegistration } from '../runner';
import { localDown, localEnv, localStatus, localUp } from '../local/actions';

/** `local up`, `down`, `status` and `env` */
export const localCommand: CommandRegistration = (program, runner) => {
  const local = program.command('local').description('run everything on this machine, without an AWS account');
  local
    .command('up')
    .description('start the local endpoint with the real stack deployed on it')
    .option('--runtime <kind>', 'container, process, or auto: containers where an engine answers', 'auto')
    .option('--port <port>', 'port on 127.0.0.1 (default: the port of the last run, or a free one)')
    .option('-c, --context <key=value>', 'context key of the stack, as for `cdk deploy`; repeatable', collect)
    .option('--assembly <folder>', 'cdk.out to deploy instead of synthesizing the stack')
    .action(runner.action(localUp));
  local
    .command('down')
    .description('stop the local endpoint and everything that runs on it')
    .action(runner.action(localDown));
  local.command('status').description('print what is running').action(runner.action(localStatus));
  local
    .command('env')
    .description('print export lines that make a shell\'s AWS tools use it: eval "$(mngr-fargate local env)"')
    .action(runner.action(localEnv));
};
