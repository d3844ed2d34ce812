import type { Command } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { ApiEvent, Sandbox } from '../../../sandbox/client';
import { shellCommand } from '../../../util/shell-quote';
import { pause } from '../../../util/abort';
import { printable } from '../../../util/printable';
import type { CliContext } from '../../context';
import { EXIT_CODES } from '../../exit-codes';
import { parseCount } from '../../parse/size';
import { formatElapsed } from '../../render/format';
import type { Runner } from '../../runner';
import { withSandbox } from './connection';
import { runCommand } from './run-command';

interface EventsOptions {
  readonly after?: string;
  readonly follow?: boolean;
  readonly output?: string;
}

const MOST = 1_000_000_000;
/** Between two looks of --follow. Milliseconds. */
const LOOK_MS = 500;

async function events(context: CliContext, id: string, { after, follow, output }: EventsOptions): Promise<number> {
  if (output !== undefined && (follow === true || after !== undefined)) {
    throw new MngrFargateError('usage', '--output shows one event: leave out --follow and --after');
  }
  const seq = output === undefined ? undefined : parseCount(output, '--output', { least: 1, most: MOST });
  const afterSeq = after === undefined ? 0 : parseCount(after, '--after', { least: 0, most: MOST });
  return withSandbox(context, id, (sandbox) => {
    if (seq !== undefined) return runCommand(context, sandbox.command(seq));
    return follow === true ? followed(context, sandbox, afterSeq) : listed(context, sandbox, afterSeq);
  });
}

async function listed(context: CliContext, sandbox: Sandbox, afterSeq: number): Promise<number> {
  const found: ApiEvent[] = [];
  for await (const event of sandbox.events({ afterSeq, signal: context.signal })) found.push(event);
  context.result(found, () => (found.length === 0 ? 'no events\n' : found.map(line).join('')));
  return 0;
}

/** Each event when it comes and when it ends, until Ctrl-C or the end of the sandbox. */
async function followed(context: CliContext, sandbox: Sandbox, afterSeq: number): Promise<number> {
  const { signal } = context;
  const open = new Map<number, ApiEvent['status']>();
  const show = (event: ApiEvent): void => {
    if (open.get(event.seq) !== event.status) context.result(event, () => line(event));
    if (isOver(event)) open.delete(event.seq);
    else open.set(event.seq, event.status);
  };
  try {
    for (let last = afterSeq; ;) {
      // Before the events, so that none that came before the end is missed.
      const { status } = await sandbox.refresh({ signal });
      for (const seq of [...open.keys()]) show(await sandbox.event(seq, { signal }));
      for await (const event of sandbox.events({ afterSeq: last, signal })) {
        last = event.seq;
        show(event);
      }
      if (status === 'destroyed') return 0;
      await pause(LOOK_MS, 'following', signal);
    }
  } catch (error) {
    // Ctrl-C is the normal end of following, not an error.
    if (signal.aborted) return EXIT_CODES.aborted;
    throw error;
  }
}

const isOver = ({ status }: ApiEvent): boolean => status === 'done' || status === 'error';

function line(event: ApiEvent): string {
  const time = new Date(event.submittedAt).toISOString().slice(11, 19);
  return `${String(event.seq).padStart(4)}  ${time}  ${outcome(event).padEnd(16)}  ${printable(whatOf(event)).slice(0, 200)}\n`;
}

function outcome({ status, result }: ApiEvent): string {
  if (result === null) return status;
  const how =
    result.reason === 'exit'
      ? `exit ${result.exitCode}`
      : result.reason === 'signal'
        ? `${result.signal}`
        : result.reason;
  return `${how} ${formatElapsed(result.durationMs)}`;
}

function whatOf({ kind, payload }: ApiEvent): string {
  const { cmd, argv, url } = payload as { readonly cmd?: unknown; readonly argv?: unknown; readonly url?: unknown };
  if (typeof cmd === 'string') return cmd;
  if (Array.isArray(argv)) return shellCommand(argv.map(String));
  const name = kind.replace('_', ' ');
  return typeof url === 'string' ? `${name} ${url}` : name;
}

/** `sandbox events ID` */
export function eventsCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('events')
    .description('list the commands of a sandbox, also for a while after its end')
    .argument('<sandbox>', 'id of the sandbox')
    .option('--after <number>', 'only those after this one')
    .option('-f, --follow', 'go on with each that comes and each that ends, until Ctrl-C')
    .option('--output <number>', "print this one's output from its start, live, and exit with its code")
    .action(runner.action(events));
}
