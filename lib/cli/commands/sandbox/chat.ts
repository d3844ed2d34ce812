import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { isMngrFargateError, MngrFargateError } from '../../../contract/errors';
import type { ChatPiece, Conversation } from '../../../sandbox/chat/conversation';
import type { Workplace } from '../../../sandbox/mcp/workplace';
import { jsonLine, printable, printableLines } from '../../../util/printable';
import type { CliContext } from '../../context';
import { parseCount } from '../../parse/size';
import type { Runner } from '../../runner';
import { withService } from './connection';

interface ChatOptions {
  readonly id?: string;
  readonly keep?: boolean;
  readonly provider?: string;
  readonly model?: string;
  readonly maxSteps: string;
  readonly trace: boolean;
}

/** How much of a tool's result is shown. Lines. */
const TRACE_LINES = 12;
const TRACE_CHARACTERS = 160;

async function chat(context: CliContext, words: readonly string[], options: ChatOptions): Promise<void> {
  const maxSteps = parseCount(options.maxSteps, '--max-steps', { least: 1, most: 1000 });
  const prompt = words.join(' ');
  const { io, signal } = context;
  if (prompt === '' && (context.json || !io.stdin.isTTY)) {
    throw new MngrFargateError('usage', 'a conversation needs a terminal', {
      hint: 'give the text as an argument: mngr-fargate sandbox chat "…"',
    });
  }
  const { chooseModel } = await import('../../../sandbox/chat/model.js');
  const { model, name } = await chooseModel(io.environment, options);
  const [{ Conversation }, { Workplace }] = await Promise.all([
    import('../../../sandbox/chat/conversation.js'),
    import('../../../sandbox/mcp/workplace.js'),
  ]);
  await withService(context, async (client) => {
    if (options.id !== undefined) await client.connect(options.id, { signal });
    const workplace = new Workplace(client, { id: options.id, keep: options.keep, createdBy: 'chat' });
    const conversation = new Conversation({ model, workplace, maxSteps });
    try {
      if (prompt !== '') await oneTurn(context, conversation, prompt, options.trace);
      else await manyTurns(context, conversation, workplace, name, options.trace);
    } finally {
      await workplace.close();
    }
  });
}

async function oneTurn(context: CliContext, conversation: Conversation, prompt: string, trace: boolean): Promise<void> {
  if (!context.json) return turn(context, conversation, prompt, trace);
  let text = '';
  const calls = new Map<string, object>();
  for await (const piece of told(conversation, prompt, context.signal)) {
    if (piece.type === 'text') text += piece.text;
    else if (piece.type === 'call') calls.set(piece.id, { tool: piece.tool, input: piece.input });
    else calls.set(piece.id, { ...calls.get(piece.id), result: piece.text, failed: piece.failed });
  }
  context.printJson({ text, calls: [...calls.values()] });
}

/** Prints the model's words on stdout as they come, and its calls on stderr. */
async function turn(context: CliContext, conversation: Conversation, prompt: string, trace: boolean): Promise<void> {
  const { stdout } = context.io;
  let atStart = true;
  for await (const piece of told(conversation, prompt, context.signal)) {
    if (piece.type === 'text') {
      stdout.write(printableLines(piece.text));
      atStart = piece.text === '' ? atStart : piece.text.endsWith('\n');
    } else if (trace) {
      if (!atStart) stdout.write('\n');
      atStart = true;
      for (const line of traceLines(piece)) context.note(line);
    }
  }
  if (!atStart) stdout.write('\n');
}

function traceLines(piece: Exclude<ChatPiece, { readonly type: 'text' }>): string[] {
  const short = (text: string): string =>
    printable(text.length > TRACE_CHARACTERS ? `${text.slice(0, TRACE_CHARACTERS)}…` : text);
  if (piece.type === 'call') return [`→ ${piece.tool} ${short(jsonLine(piece.input))}`];
  const lines = piece.text.trimEnd().split('\n');
  const left = lines.length - TRACE_LINES;
  return [
    ...lines.slice(0, TRACE_LINES).map((line, index) => `${index > 0 ? ' ' : piece.failed ? '✗' : '←'} ${short(line)}`),
    ...(left > 0 ? [`  … ${left} more lines`] : []),
  ];
}

/** A turn, with the provider's errors as the command line's. */
async function* told(conversation: Conversation, prompt: string, signal: AbortSignal): AsyncGenerator<ChatPiece, void> {
  try {
    yield* conversation.say(prompt, signal);
  } catch (error) {
    if (signal.aborted || isMngrFargateError(error)) throw error;
    const { statusCode, message } = error as { readonly statusCode?: number; readonly message?: string };
    const isDenied = statusCode === 401 || statusCode === 403;
    throw new MngrFargateError(
      isDenied ? 'denied' : 'failed',
      `the model did not answer: ${message ?? String(error)}`,
      {
        cause: error,
        hint: isDenied ? 'check the key of the model in the environment' : undefined,
        details: { statusCode: statusCode ?? null },
      },
    );
  }
}

const HELP = '/history: what was said · /session: the sandbox · /quit or Ctrl-D: the end\n';

async function manyTurns(
  context: CliContext,
  conversation: Conversation,
  workplace: Workplace,
  model: string,
  trace: boolean,
): Promise<void> {
  const { stdin, stderr } = context.io;
  stderr.write(`${printable(model)} with a sandbox. ${HELP}`);
  const terminal = createInterface({ input: stdin, output: stderr });
  const left = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  terminal.once('SIGINT', () => terminal.close());
  try {
    for (;;) {
      const answer = await Promise.race([terminal.question('> ', { signal: context.signal }), left]);
      if (answer === undefined || answer.trim() === '/quit') return;
      if (answer.trim() === '') continue;
      if (answer.trim() === '/help') stderr.write(HELP);
      else if (answer.trim() === '/session') stderr.write(`${(await workplace.id()) ?? 'no sandbox yet'}\n`);
      else if (answer.trim() === '/history')
        for (const message of conversation.history) context.print(`${jsonLine(message)}\n`);
      else await heard(context, () => turn(context, conversation, answer, trace));
    }
  } finally {
    terminal.close();
  }
}

/** A turn that fails is reported; the conversation goes on. */
async function heard(context: CliContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (context.signal.aborted || !isMngrFargateError(error)) throw error;
    context.reportText(error);
  }
}

/** `sandbox chat [TEXT]` */
export function chatCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('chat')
    .description('talk with a model that works in a sandbox; its key comes from ANTHROPIC_API_KEY or OPENAI_API_KEY')
    .argument('[text...]', 'one thing to do (default: a conversation)')
    .option(
      '--id <sandbox>',
      'work in this sandbox (default: one that is made at the first use and ends with the chat)',
    )
    .option('--keep', 'leave a sandbox that was made to its time to live')
    .option('--provider <name>', 'anthropic or openai (default: the first whose key is set)')
    .option('--model <name>', "the provider's model")
    .option('--max-steps <number>', 'calls of the model in one turn, at most', '50')
    .option('--no-trace', "don't print the calls of tools")
    .action(runner.action(chat));
}
