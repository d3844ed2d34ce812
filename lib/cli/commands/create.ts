import { Option } from 'commander';
import type { CreatedHost, CreateHostRequest, Host } from '../../hosts/model/types';
import { MngrFargateError } from '../../contract/errors';
import type { HostOwner } from '../../contract/tags';
import type { CliContext } from '../context';
import { asMngrFargateError, errorDocument } from '../error-report';
import { EXIT_CODES } from '../exit-codes';
import { addJumpOption, collect } from '../global-options';
import { parseDuration, parseDurationOrNever, WAITED_FOR } from '../parse/duration';
import { environmentPairs, keyValues } from '../parse/key-value';
import { publicKeys } from '../parse/public-key';
import { parseCpu, parseMemory, parseStorage } from '../parse/size';
import type { ProgressStyle } from '../progress/create-progress';
import { createProgress, PROGRESS_STYLES } from '../progress/create-progress';
import { formatAddress, formatSize } from '../render/format';
import { printable } from '../../util/printable';
import type { CommandRegistration } from '../runner';

/** A stack makes its hosts by itself. */
const LAUNCHING_OWNERS: readonly HostOwner[] = ['launcher', 'mngr'];

interface CreateOptions {
  readonly cpu?: string;
  readonly memory?: string;
  readonly image?: string;
  readonly spot?: boolean;
  readonly env?: readonly string[];
  readonly tag?: readonly string[];
  readonly idleTimeout?: string;
  readonly maxAge?: string;
  readonly subnet?: readonly string[];
  readonly ephemeralStorage?: string;
  readonly authorizedKey?: readonly string[];
  readonly owner: HostOwner;
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly progress: ProgressStyle;
}

/** As the launcher requires it. */
const MIN_MAX_AGE_SECONDS = 60;

const given = <Value>(text: string | undefined, parse: (text: string) => Value): Value | undefined =>
  text === undefined ? undefined : parse(text);

async function requestOf(
  options: CreateOptions,
  { passthrough, io }: CliContext,
): Promise<Omit<CreateHostRequest, 'name'>> {
  return {
    command: passthrough,
    cpu: given(options.cpu, parseCpu),
    memory: given(options.memory, parseMemory),
    image: options.image,
    spot: options.spot,
    env: environmentPairs(options.env ?? [], io.environment),
    tags: keyValues(options.tag ?? [], '--tag'),
    idleTimeout: given(options.idleTimeout, (text) => parseDurationOrNever(text, '--idle-timeout')),
    maxAge: given(options.maxAge, (text) => parseDuration(text, '--max-age', { least: MIN_MAX_AGE_SECONDS })),
    subnets: options.subnet,
    ephemeralStorage: given(options.ephemeralStorage, parseStorage),
    authorizedKeys: (await Promise.all((options.authorizedKey ?? []).map(publicKeys))).flat(),
    owner: options.owner,
    wait: options.wait !== false,
    timeout: given(options.timeout, (text) => parseDuration(text, '--timeout', WAITED_FOR)),
  };
}

function hostText(host: Host): string {
  if (!host.ready) return `${printable(`${host.name}: ${host.state}, task ${host.taskArn}`)}\n`;
  const lines = [
    `${host.name} is ready at ${formatAddress(host.address)} (${formatSize(host)})`,
    `  connect with: mngr-fargate connect ${host.name}`,
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** What the user should know of a command that has ended, or of an agent that waits for an answer. */
function noticeLines({ name, agentNotice: notice }: CreatedHost): string[] {
  if (notice === undefined) return [];
  const screen = notice.screen.map((row) => `    ${row}`);
  if (notice.dialog !== null)
    return [
      `mngr-fargate: ${name}: its agent asks ${notice.dialog}`,
      ...screen,
      `  hint: answer with \`mngr-fargate connect ${name}\``,
    ];
  return [
    `mngr-fargate: ${name}: its command has already ended, with exit code ${notice.exitCode}; the host keeps running`,
    ...screen,
    `  hint: stop it with \`mngr-fargate destroy ${name}\``,
  ];
}

type Outcome = { readonly host: CreatedHost } | { readonly name: string; readonly error: MngrFargateError };

async function create(context: CliContext, names: readonly string[], options: CreateOptions): Promise<number> {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new MngrFargateError('usage', `${repeated} was given more than once`);
  const request = await requestOf(options, context);
  context.interrupts.announce('stopping what was started; press Ctrl-C again to quit at once');

  let outcomes: readonly Outcome[] | undefined;
  let late: MngrFargateError | undefined;
  const work = context.withHosts(
    async (hosts) => {
      const progress = createProgress(context.io, names, options.progress);
      try {
        outcomes = await Promise.all(
          names.map(async (name): Promise<Outcome> => {
            try {
              const host = await hosts.create(
                { ...request, name },
                { signal: context.signal, onProgress: (step) => progress.update(step) },
              );
              progress.finish(name, host.ready ? 'ready' : 'started');
              return { host };
            } catch (thrown) {
              progress.finish(name, 'failed');
              return { name, error: asMngrFargateError(thrown, context.signal) };
            }
          }),
        );
      } finally {
        progress.close();
      }
    },
    { writesKeys: true },
  );
  await work.catch((thrown: unknown) => {
    // Closing can fail for one of the hosts; the others must not be forgotten.
    if (outcomes === undefined) throw thrown;
    late = asMngrFargateError(thrown, context.signal);
  });
  return report(context, outcomes ?? [], late);
}

/** `late` is what went wrong once all hosts had been handed over; the hosts that it names run. */
function report(context: CliContext, outcomes: readonly Outcome[], late?: MngrFargateError): number {
  const code = reportEach(context, outcomes);
  if (late === undefined) return code;
  context.reportText(late);
  return EXIT_CODES[late.code];
}

function reportEach(context: CliContext, outcomes: readonly Outcome[]): number {
  const [only] = outcomes;
  if (outcomes.length === 1 && only !== undefined && 'error' in only) throw only.error;
  const documents = outcomes.map((outcome) =>
    'host' in outcome ? outcome.host : { name: outcome.name, ...errorDocument(outcome.error) },
  );
  if (context.json) context.printJson(documents.length === 1 ? documents[0] : documents);
  else {
    for (const outcome of outcomes) {
      if ('host' in outcome) {
        context.print(hostText(outcome.host));
        for (const line of noticeLines(outcome.host)) context.note(line);
      } else context.reportText(outcome.error, outcome.name);
    }
  }
  const failed = outcomes.find((outcome) => 'error' in outcome);
  return failed === undefined ? 0 : EXIT_CODES[failed.error.code];
}

/** `create NAME… [-- COMMAND…]` */
export const createCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('create')
    .usage('[options] <name...> [-- COMMAND...]')
    .description('launch a host for each name, and start COMMAND on it in the tmux session mngr-NAME')
    .argument('<name...>', 'host names: letters, digits, "-" and "_", at most 63; several are created in parallel')
    .option('--cpu <size>', 'CPU units (1024) or vCPU (1vcpu)')
    .option('--memory <size>', 'MiB (4096) or GB (4GB)')
    .option('--image <uri>', "image to use instead of the task definition's")
    .option('--spot', 'run on Fargate Spot: cheaper, and AWS may stop it with two minutes of notice')
    .option(
      '--env <key[=value]>',
      'variable for the host; KEY alone takes the value from this environment; repeatable',
      collect,
    )
    .option('--tag <key=value>', 'tag of the task, repeatable', collect)
    .option('--idle-timeout <duration>', 'stop after this long without activity (30m, 2h, never)')
    .option('--max-age <duration>', 'stop at this age, even while it is busy')
    .option('--subnet <id>', "subnet to use instead of the provider's, repeatable", collect)
    .option('--ephemeral-storage <gib>', 'disk in GiB, 21 to 200 (default: 20)')
    .option('--authorized-key <key>', 'another public key that may log in, or a file of them; repeatable', collect)
    .addOption(
      new Option('--owner <who>', 'who creates the host: nobody else ends it automatically')
        .choices(LAUNCHING_OWNERS)
        .default('launcher'),
    )
    .option('--wait', 'wait until the host is ready (the default)')
    .option('--no-wait', 'return as soon as ECS has accepted the task')
    .option('--timeout <duration>', 'give up on a host that is not ready after this long (default: 10m)')
    .addOption(
      new Option('--progress <style>', 'how progress is shown on stderr: for people, or a line of JSON for each change')
        .choices(PROGRESS_STYLES)
        .default('text'),
    )
    .addHelpText(
      'after',
      `
Examples:
  mngr-fargate create fox
  mngr-fargate create fox owl --cpu 2vcpu --memory 8GB --idle-timeout 2h
  mngr-fargate create fox --env ANTHROPIC_API_KEY -- claude`,
    );
  addJumpOption(command).action(runner.action(create, { takesPassthrough: true }));
};
