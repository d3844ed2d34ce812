import { text as readAll } from 'node:stream/consumers';
import { MngrFargateError } from '../../contract/errors';
import type { CliContext } from '../context';
import type { CommandRegistration } from '../runner';

interface MessageOptions {
  readonly agent?: string;
  readonly enter: boolean;
}

const USAGE = 'mngr-fargate message NAME "text", or "-" to read it from stdin';

/** The text: an argument, what stands behind `--` (for a leading dash), or stdin without its last line end. */
async function textOf({ passthrough, io }: CliContext, argument: string | undefined): Promise<string> {
  const words = [...(argument === undefined ? [] : [argument]), ...(passthrough ?? [])];
  const [text, ...others] = words;
  if (text === undefined) throw new MngrFargateError('usage', 'the text is missing', { hint: USAGE });
  if (others.length > 0)
    throw new MngrFargateError('usage', 'the text must be one argument', { hint: 'put it in quotes' });
  return argument === '-' ? (await readAll(io.stdin)).replace(/\r?\n$/, '') : text;
}

async function message(
  context: CliContext,
  reference: string,
  argument: string | undefined,
  options: MessageOptions,
): Promise<void> {
  const text = await textOf(context, argument);
  if (text === '') throw new MngrFargateError('usage', 'the text is empty', { hint: USAGE });
  await context.withHosts((hosts) =>
    hosts.message(reference, text, { agent: options.agent, enter: options.enter, signal: context.signal }),
  );
  context.result({ host: reference, agent: options.agent ?? null, sent: true }, () => '');
}

/** `message NAME TEXT` */
export const messageCommand: CommandRegistration = (program, runner) => {
  program
    .command('message')
    .alias('msg')
    .usage('[options] <host> <text>')
    .description("type a text into an agent's tmux session, exactly as it is, and press Enter")
    .argument('<host>', 'name, host id or task ARN')
    .argument('[text]', 'the text; "-" reads stdin; behind "--" when it starts with "-"')
    .option('--agent <name>', "agent on the host; without it the host's own")
    .option('--no-enter', "don't press Enter")
    .action(runner.action(message, { takesPassthrough: true }));
};
