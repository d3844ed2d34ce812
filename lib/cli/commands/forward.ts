import { MngrFargateError } from '../../contract/errors';
import type { Forward } from '../../tasks/index';
import { printable } from '../../util/printable';
import type { CliContext } from '../context';
import { collect } from '../global-options';
import { parseForward, parseSocks } from '../parse/forward';
import type { TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget, TARGET_ARGUMENT } from '../parse/target';
import type { CommandRegistration } from '../runner';
import { withTaskTarget } from '../target';

interface ForwardCommandOptions extends TargetOptions {
  readonly local?: readonly string[];
  readonly dynamic?: readonly string[];
}

async function forward(
  context: CliContext,
  reference: string | undefined,
  options: ForwardCommandOptions,
): Promise<void> {
  const given = parseTarget(reference, options, context.options.cluster);
  const forwards = (options.local ?? []).map(parseForward);
  const socks = (options.dynamic ?? []).map(parseSocks);
  if (forwards.length + socks.length === 0) {
    throw new MngrFargateError('usage', 'there is nothing to forward', {
      hint: 'name a local port and a remote one, for example -L 8080:80, or -D 1080 for a SOCKS5 proxy',
    });
  }
  if (given.kind === 'host') {
    throw new MngrFargateError('usage', 'forward takes a task, and this names a host', {
      hint: "name the host's task with --cluster and --task",
    });
  }
  const { forwardPorts } = await import('../../tasks/index.js');
  const onProblem = (problem: Error): void => context.note(`mngr-fargate: ${problem.message}`);
  const { signal } = context;
  await withTaskTarget(context, given, async (target, tasks) => {
    await using served = await forwardPorts(tasks, target, { forwards, socks, onProblem, signal });
    context.result({ forwards: served.bound }, () => served.bound.map(lineOf).join(''));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  });
}

const lineOf = ({ bind, port, host, remotePort }: Forward): string =>
  remotePort === null
    ? `SOCKS5 on ${bind} port ${port}\n`
    : `${bind} port ${port} to ${printable(host ?? 'the task')} port ${remotePort}\n`;

/** `forward TARGET -L … -D …` */
export const forwardCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('forward')
    .description('forward ports of this machine into a task, and through it to hosts that it can reach, until Ctrl-C')
    .argument('[target]', TARGET_ARGUMENT)
    .option(
      '-L, --local <[bind:]port:[host:]port>',
      'a local port and a remote one; 0 for a free port; repeatable',
      collect,
    )
    .option('-D, --dynamic <[bind:]port>', 'a SOCKS5 proxy on this port; repeatable', collect);
  addTargetOptions(command).action(runner.action(forward));
};
