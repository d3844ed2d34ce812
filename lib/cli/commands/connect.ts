import { spawn } from 'node:child_process';
import { MngrFargateError } from '../../contract/errors';
import { agentSession, loginShell, onTerminal } from '../agent-session';
import type { CliContext } from '../context';
import { exitCodeOfSignal } from '../exit-codes';
import type { CommandRegistration } from '../runner';

interface ConnectOptions {
  readonly agent?: string;
  readonly shell?: boolean;
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

async function connect(context: CliContext, reference: string, options: ConnectOptions): Promise<number> {
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
  return context.withHosts(async (hosts) => {
    const found = await hosts.get(reference, { signal: context.signal });
    // Created without waiting: whoever uses the host first sets it up.
    const isFinished = found.ready && found.knownHostsFile !== null;
    const host = isFinished ? found : await hosts.ensureReady(found.taskArn, { signal: context.signal });
    const words = hosts.sshArguments(host, remoteCommand(host.name, context, options), { tty: true });
    if (context.json) {
      context.printJson({ command: 'ssh', arguments: words });
      return 0;
    }
    return context.interrupts.leaveTo(() => runSsh(words));
  });
}

/** `connect NAME [-- COMMAND…]` */
export const connectCommand: CommandRegistration = (program, runner) => {
  program
    .command('connect')
    .alias('ssh')
    .usage('[options] <host> [-- COMMAND...]')
    .description(
      "attach to the agent's tmux session, or open a shell if there is none; with --json, print the ssh command",
    )
    .argument('<host>', 'name, host id or task ARN')
    .option('--agent <name>', "attach to this agent's session")
    .option('--shell', 'open a shell even if an agent is running')
    .action(runner.action(connect, { takesPassthrough: true }));
};
