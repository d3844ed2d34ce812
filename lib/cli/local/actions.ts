import { resolve } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { LocalDescription, LocalStatus } from '../../local/index';
import { shellQuote } from '../../util/shell-quote';
import type { CliContext } from '../context';
import { EXIT_CODES } from '../exit-codes';
import { isInteractive } from '../io';
import { keyValues } from '../parse/key-value';
import { parseCount } from '../parse/size';
import { counted } from '../render/format';
import { synthesize } from './synthesize';

export interface LocalUpOptions {
  readonly runtime: string;
  readonly port?: string;
  readonly assembly?: string;
  readonly context?: readonly string[];
}

const RUNTIMES = ['auto', 'container', 'process'] as const;

function runtimeOf(text: string): (typeof RUNTIMES)[number] {
  const runtime = RUNTIMES.find((name) => name === text);
  if (runtime !== undefined) return runtime;
  throw new MngrFargateError('usage', `--runtime takes ${RUNTIMES.join(', ')}, not ${JSON.stringify(text)}`);
}

const upText = ({ endpoint, stackName }: LocalDescription): string =>
  [
    `the local endpoint serves the stack ${stackName} at ${endpoint}`,
    '  use it in this shell: eval "$(mngr-fargate local env)"',
    '  then, for example:    mngr-fargate create fox && mngr-fargate connect fox',
    '',
  ].join('\n');

/** `local up` */
export async function localUp(context: CliContext, options: LocalUpOptions): Promise<void> {
  const runtime = runtimeOf(options.runtime);
  const port = options.port === undefined ? undefined : parseCount(options.port, '--port', { least: 1, most: 65_535 });
  const { up } = await import('../../local/index.js');
  const { io, verbose } = context;
  const showsProgress = verbose || isInteractive(io.stderr, io.environment);
  const onProgress = (line: string): void => {
    if (showsProgress) context.note(line);
  };
  const assemblyDirectory = await assemblyOf(context, options, onProgress);
  const { stack, region } = context.options;
  const description = await up({
    assemblyDirectory,
    stackName: stack,
    region,
    port,
    runtime,
    onProgress,
    signal: context.signal,
  });
  context.result(description, () => upText(description));
}

/** The folder that was given, or the stack synthesized beside the endpoint's state. */
async function assemblyOf(
  context: CliContext,
  options: LocalUpOptions,
  onProgress: (line: string) => void,
): Promise<string> {
  const settings = keyValues(options.context ?? [], '--context');
  if (options.assembly !== undefined) {
    if (options.context === undefined) return resolve(options.assembly);
    throw new MngrFargateError(
      'usage',
      '--context and --assembly cannot be used together: --context changes the synthesis that --assembly replaces',
    );
  }
  const { defaultStateDirectory } = await import('../../local/index.js');
  const folder = resolve(defaultStateDirectory(), 'cdk.out');
  onProgress('synthesizing the stack');
  await synthesize({
    folder,
    context: { ...settings, ...(context.options.stack !== undefined && { stackName: context.options.stack }) },
    environment: context.io.environment,
    signal: context.signal,
  });
  return folder;
}

/** `local down` */
export async function localDown(context: CliContext): Promise<void> {
  const { down } = await import('../../local/index.js');
  const { wasRunning, taskArns } = await down();
  const { forgetTasks } = await import('../../hosts/index.js');
  await forgetTasks(await context.keyDirectory(), taskArns);
  context.result({ wasRunning }, () =>
    wasRunning ? 'the local endpoint is down\n' : 'the local endpoint was not running\n',
  );
}

function statusText({ endpoint, stackName, pid, tasks, runtime }: LocalStatus): string {
  const counts = Object.entries(tasks ?? {}).map(([state, count]) => `${counted(count, 'task')} ${state}`);
  return [
    `the local endpoint serves the stack ${stackName} at ${endpoint} (process ${pid})`,
    `  tasks run as ${runtime?.description}`,
    `  ${counts.length === 0 ? 'no tasks' : counts.join(', ')}`,
    '',
  ].join('\n');
}

/** `local status`: 0 when the endpoint runs, else the code of `not-found`. */
export async function localStatus(context: CliContext): Promise<number> {
  const { status } = await import('../../local/index.js');
  const found = await status();
  context.result(found, () => (found.running ? statusText(found) : 'the local endpoint is not running\n'));
  return found.running ? 0 : EXIT_CODES['not-found'];
}

/** Variables that would go before the printed ones, or be signed along with the wrong key. */
const OTHER_CREDENTIALS = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_SESSION_TOKEN'];

/** `local env` */
export async function localEnv(context: CliContext): Promise<void> {
  const { env } = await import('../../local/index.js');
  const variables = await env();
  context.result(variables, () =>
    [
      `unset ${OTHER_CREDENTIALS.join(' ')}\n`,
      ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}\n`),
    ].join(''),
  );
}
