import { hostname, userInfo } from 'node:os';
import { MngrFargateError } from '../../contract/errors';
import { clusterNameOf } from '../../contract/task-arn';
import { familyOf } from '../../contract/task-definition-family';
import type { EcsTasks, OwnFamily, Target } from '../../tasks/index';
import type { CliContext } from '../context';
import { collect } from '../global-options';
import { parseDuration } from '../parse/duration';
import { environmentPairs } from '../parse/key-value';
import { parseCpu, parseMemory } from '../parse/size';
import type { TargetOptions } from '../parse/target';
import { parseTarget } from '../parse/target';
import type { CommandRegistration } from '../runner';
import { taskChoice } from '../target';
import { commandRunner } from '../task-exec';
import { terminalOf } from '../task-terminal';

interface ShellOptions extends Pick<TargetOptions, 'service' | 'family' | 'container'> {
  readonly image?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly env?: readonly string[];
  readonly keep?: boolean;
  readonly arriveWithin: string;
  readonly maxLifetime: string;
}

async function shell(context: CliContext, reference: string | undefined, options: ShellOptions): Promise<number> {
  const { service, family, container } = options;
  const words = [reference, service, family, context.options.cluster];
  const ours = words.every((word) => word === undefined) ? await context.loadConfig() : undefined;
  const ownFamily = ours === undefined ? family : familyOf(ours.config.task_definition);
  const given = parseTarget(reference, { service, family: ownFamily, container }, context.options.cluster);
  if (given.kind === 'host') {
    throw new MngrFargateError('usage', `${JSON.stringify(reference)} is the name of a host, and shell starts a task`, {
      hint: `name the service or task definition to start it like, with --service or --family; or: mngr-fargate connect ${given.reference}`,
    });
  }
  const { keep = false } = options;
  const command = context.passthrough;
  const settings = {
    image: options.image === undefined ? undefined : imageOf(options.image),
    cpu: options.cpu === undefined ? undefined : parseCpu(options.cpu),
    memory: options.memory === undefined ? undefined : parseMemory(options.memory),
    env: environmentPairs(options.env ?? [], context.io.environment),
    keep,
    arriveWithin: parseDuration(options.arriveWithin, '--arrive-within'),
    maxLifetime: parseDuration(options.maxLifetime, '--max-lifetime'),
    who: whoIsHere(),
    signal: context.signal,
    onStarted: (taskArn: string) => context.note(`mngr-fargate: started ${taskArn}; waiting for its agent`),
  };
  const use = command === undefined || command.length === 0 ? onTerminal(context) : commandRunner(context, command, {});
  const { place, selector } = await taskChoice(context, given);
  const own = selector.service === undefined ? await ownTasks(context, selector.cluster) : undefined;
  const { stopShellTask, withShellTask } = await import('../../tasks/index.js');
  return context.withTasks(place, (tasks) =>
    withShellTask(tasks, selector, { ...settings, own }, async (target) => {
      const exitCode = await use(tasks, target);
      if (keep) context.note(`mngr-fargate: the task keeps running; return with: ${returnWords(target)}`);
      // After an interactive shell the task's own watcher decides, since others may have come meanwhile.
      else if (command !== undefined && command.length > 0)
        await stopShellTask(tasks, selector.cluster, target.taskArn);
      return exitCode;
    }),
  );
}

function imageOf(text: string): string {
  if (/^\S+$/.test(text)) return text;
  throw new MngrFargateError('usage', `--image takes an image, not ${JSON.stringify(text)}`, {
    hint: 'write it like registry/repository:tag',
  });
}

/** Our hosts' task definition and network, if the provider has this cluster. It is no error to have no provider. */
async function ownTasks(context: CliContext, cluster: string): Promise<OwnFamily | undefined> {
  const { config } = (await context.loadConfig().catch(() => undefined)) ?? {};
  if (config === undefined || clusterNameOf(config.ecs_cluster) !== clusterNameOf(cluster)) return undefined;
  if (config.subnets.length === 0) return undefined;
  return {
    family: familyOf(config.task_definition),
    network: {
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: config.subnets,
          securityGroups: config.security_groups,
          assignPublicIp: config.assign_public_ip ? 'ENABLED' : 'DISABLED',
        },
      },
    },
  };
}

function onTerminal(context: CliContext): (tasks: EcsTasks, target: Target) => Promise<number> {
  const attach = terminalOf(context, 'shell');
  return async (tasks, target) => {
    await attach(tasks, target);
    return 0;
  };
}

const returnWords = ({ taskArn, container }: Target): string =>
  `mngr-fargate connect --task ${taskArn} --container ${container}`;

/** The user and the machine, as a shell's prompt has them. A user without an entry in the user database has no name. */
function whoIsHere(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return hostname();
  }
}

/** `shell --service S [-- COMMAND…]` */
export const shellCommand: CommandRegistration = (program, runner) => {
  program
    .command('shell')
    .usage('[options] [target] [-- COMMAND...]')
    .description(
      "start a task like a service's or a family's, with its roles, network and environment, and open a shell or run a command in it; it ends when you leave",
    )
    .argument('[target]', '@NAME of a target (or use --service, --family; default: the image of our hosts)')
    .option('--service <name>', 'like the tasks of this ECS service of --cluster')
    .option('--family <name>', 'like this task definition (FAMILY or FAMILY:REVISION)')
    .option('--container <name>', "the container to enter (default: the only one, the service's, the essential one)")
    .option(
      '--image <image>',
      "image of the container, for example one with debugging tools (default: the task definition's)",
    )
    .option('--cpu <size>', "CPU units or vCPU of the task (default: the task definition's)")
    .option('--memory <size>', "memory of the task (default: the task definition's)")
    .option(
      '--env <key[=value]>',
      'variable of the container; KEY alone takes the value from this environment; repeatable',
      collect,
    )
    .option('--keep', 'keep the task running after you leave, until --max-lifetime')
    .option('--arrive-within <duration>', 'end the task if no session has begun after this long', '2m')
    .option('--max-lifetime <duration>', 'end the task after this long, even while it is in use', '12h')
    .action(runner.action(shell, { takesPassthrough: true }));
};
