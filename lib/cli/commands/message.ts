import { text as readAll } from 'node:stream/consumers';
import { MngrFargateError } from '../../contract/errors';
import type { CliContext } from '../context';
import { addJumpOption, collect } from '../global-options';
import { parseDuration, WAITED_FOR } from '../parse/duration';
import type { CommandRegistration } from '../runner';

interface MessageOptions {
  readonly agent?: string;
  readonly enter: boolean;
  readonly key?: readonly string[];
  readonly wait?: string;
  readonly force?: boolean;
}

const USAGE = 'mngr-fargate message NAME "text", or "-" to read it from stdin';

/** The text: an argument, the words after `--` (for a leading dash), or stdin without its last line end. */
async function textOf({ passthrough, io }: CliContext, argument: string | undefined): Promise<string | undefined> {
  const words = [...(argument === undefined ? [] : [argument]), ...(passthrough ?? [])];
  const [text, ...others] = words;
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
  const { agent, enter, force, key: keys } = options;
  const { signal } = context;
  const text = await textOf(context, argument);
  const waitMs = options.wait === undefined ? undefined : parseDuration(options.wait, '--wait', WAITED_FOR) * 1000;
  if (keys !== undefined) {
    if (text !== undefined) throw new MngrFargateError('usage', 'give a text or --key, not both');
    if (!enter) throw new MngrFargateError('usage', '--no-enter goes with a text, not with --key');
    if (waitMs !== undefined) throw new MngrFargateError('usage', '--wait goes with a text, not with --key');
    await context.withHosts((hosts) => hosts.press(reference, keys, { agent, force, signal }));
  } else {
    if (text === undefined) throw new MngrFargateError('usage', 'the text is missing', { hint: USAGE });
    if (text === '') throw new MngrFargateError('usage', 'the text is empty', { hint: USAGE });
    await context.withHosts((hosts) => hosts.message(reference, text, { agent, enter, force, waitMs, signal }));
  }
  context.result({ host: reference, agent: agent ?? null, sent: true }, () => '');
}

/** `message NAME TEXT` */
export const messageCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('message')
    .alias('msg')
    .usage('[options] <host> [text]')
    .description('send a text to an agent: type it into its tmux session exactly as it is, and press Enter')
    .argument('<host>', 'name, host id or task ARN')
    .argument('[text]', 'the text; "-" reads stdin; after "--" when it starts with "-"')
    .option('--agent <name>', "agent on the host (default: the host's own)")
    .option('--no-enter', "don't press Enter")
    .option('--key <key>', 'press a key instead of typing a text: Enter, Escape, C-c, 1; repeatable', collect)
    .option('--wait <duration>', 'how long to wait for an agent that is not ready for input yet (default: 30s)')
    .option('--force', 'type without looking at what is on the screen, even into a shell')
    .addHelpText(
      'after',
      `
The agent has the text when this command ends with 0. Nothing is typed, and the exit code is 11, where a dialog, a shell
or another program has the keyboard; the error shows what is on the screen.

Examples:
  mngr-fargate message fox "please run the tests"
  mngr-fargate message fox --key Down --key Enter`,
    );
  addJumpOption(command).action(runner.action(message, { takesPassthrough: true }));
};
