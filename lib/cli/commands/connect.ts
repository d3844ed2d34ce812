import { spawn } from 'node:child_process';
import { MngrFargateError } from '../../contract/errors';
import type { PortForward } from '../../hosts/index';
import { agentSession, loginShell, onTerminal } from '../agent-session';
import type { CliContext } from '../context';
import { exitCodeOfSignal } from '../exit-codes';
import { addJumpOption, collect } from '../global-options';
import { parseForward } from '../parse/forward';
import type { GivenTarget, TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget, TARGET_ARGUMENT } from '../parse/target';
import type { CommandRegistration } from '../runner';
import { sshProxyWords } from '../ssh-proxy-words';
import { withTaskTarget } from '../target';
import { terminalOf } from '../task-terminal';

interface ConnectOptions extends TargetOptions {
  readonly agent?: string;
  readonly shell?: boolean;
  readonly local?: readonly string[];
  readonly forwardAgent?: boolean;
}

/** Runs the system's ssh on this terminal and returns its exit code. */
function runSsh(words: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', words, { stdio: 'inherit' });
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new MngrFargateError('failed', `ssh cannot be started: ${error.code ?? error.message}`, {
          cause: error,
          hint: 'install the OpenSSH client (Debian: openssh-client)',
        }),
      ),
    );
    child.once('close', (code, signal) => resolve(code ?? exitCodeOfSignal(signal ?? 'HUP')));
  });
}

function remoteCommand(name: string, { passthrough }: CliContext, { agent, shell }: ConnectOptions): readonly string[] {
  if (passthrough !== undefined && passthrough.length > 0) return onTerminal(passthrough);
  return shell === true ? loginShell() : agentSession(name, agent);
}

async function connect(context: CliContext, reference: string | undefined, options: ConnectOptions): Promise<number> {
  const given = parseTarget(reference, options, context.options.cluster);
  if (given.kind !== 'host') return connectToTaskTarget(context, given, options);
  if (given.container !== undefined) {
    throw new MngrFargateError('usage', 'connect to a host takes no --container', {
      hint: 'name its task with --cluster and --task',
    });
  }
  return connectToHost(context, given.reference, options);
}

/** On the terminal of ECS Exec. */
async function connectToTaskTarget(
  context: CliContext,
  given: Exclude<GivenTarget, { readonly kind: 'host' }>,
  { shell, agent, local, forwardAgent }: ConnectOptions,
): Promise<number> {
  if (local !== undefined || forwardAgent !== undefined) {
    throw new MngrFargateError('usage', 'connect to a task takes neither -L nor -A, which are for hosts', {
      hint: "forward a task's ports with: mngr-fargate forward TARGET -L 8080:80",
    });
  }
  if (shell !== undefined || agent !== undefined) {
    throw new MngrFargateError('usage', '--shell and --agent are for hosts', {
      hint: 'in any other task, connect opens a shell; name another program after --',
    });
  }
  const attach = terminalOf(context, 'connect');
  await withTaskTarget(context, given, (target, tasks) => attach(tasks, target));
  return 0;
}

async function connectToHost(context: CliContext, reference: string, options: ConnectOptions): Promise<number> {
  const { shell, agent } = options;
  if (shell === true && agent !== undefined) throw new MngrFargateError('usage', 'give --shell or --agent, not both');
  if (context.passthrough !== undefined && (shell === true || agent !== undefined)) {
    throw new MngrFargateError('usage', 'a command cannot be combined with --shell or --agent');
  }
  if (!context.json && !context.io.stdin.isTTY) {
    throw new MngrFargateError('usage', 'connect needs a terminal', {
      hint: `run a command with: mngr-fargate exec ${reference} -- COMMAND`,
    });
  }
  const forwards = (options.local ?? []).map(portForward);
  const agentSocket = options.forwardAgent === true ? await agentOf(context) : undefined;
  return context.withHosts(async (hosts) => {
    const found = await hosts.get(reference, { signal: context.signal });
    // Created without waiting: whoever uses the host first sets it up.
    const isFinished = found.ready && found.knownHostsFile !== null;
    const host = isFinished ? found : await hosts.ensureReady(found.taskArn, { signal: context.signal });
    const route = await hosts.sshRoute(host, { signal: context.signal });
    const proxy = route === 'direct' ? undefined : sshProxyWords(context.options, host.hostId);
    const command = remoteCommand(host.name, context, options);
    const words = hosts.sshArguments(host, command, { tty: true, proxy, forwards, agentSocket });
    if (context.json) {
      context.printJson({ command: 'ssh', arguments: words });
      return 0;
    }
    return context.interrupts.leaveTo(() => runSsh(words));
  });
}

/** A port that the system's ssh forwards. Throws `usage`. */
function portForward(text: string): PortForward {
  const { bind, port, host, remotePort } = parseForward(text);
  if (port !== 0) return { bind, port, host: host ?? 'localhost', remotePort };
  throw new MngrFargateError('usage', `-L of connect needs a port of this machine, not 0: ${JSON.stringify(text)}`, {
    hint: 'ssh forwards the port that it is given, from 1 to 65535',
  });
}

async function agentOf({ io }: CliContext): Promise<string> {
  const { answeringAgent } = await import('../../ssh/index.js');
  return answeringAgent(io.environment.SSH_AUTH_SOCK);
}

/** `connect TARGET [-- COMMAND…]` */
export const connectCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('connect')
    .alias('ssh')
    .usage('[options] [target] [-- COMMAND...]')
    .description(
      "attach to the agent's tmux session on a host, or open a shell there or in any ECS task; with --json, print a host's ssh command",
    )
    .argument('[target]', TARGET_ARGUMENT)
    .option('--agent <name>', "attach to this agent's session")
    .option('--shell', 'open a shell even if an agent is running')
    .option(
      '-L, --local <[bind:]port:[host:]port>',
      'for hosts: a port here that leads to one there while connected; repeatable',
      collect,
    )
    .option('-A, --forward-agent', 'for hosts: let programs on the host use your ssh-agent while connected');
  addTargetOptions(addJumpOption(command)).action(runner.action(connect, { takesPassthrough: true }));
};
