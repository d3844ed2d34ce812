import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MngrFargateError } from '../../contract/errors';
import { isHostId } from '../../contract/host-name';
import { CliContext } from '../context';
import { addJumpOption } from '../global-options';
import type { TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget, TARGET_ARGUMENT } from '../parse/target';
import type { CommandRegistration } from '../runner';
import { withTaskTarget } from '../target';

const SSH_PORT = 22;

async function sshProxy(
  context: CliContext,
  first: string | undefined,
  second: string | undefined,
  options: TargetOptions,
): Promise<void> {
  if (context.json) throw new MngrFargateError('usage', 'ssh-proxy carries SSH on stdout, and prints no JSON');
  // With the options that name a task, the only word is the port.
  const isNamed = [options.service, options.family, options.task].some((option) => option !== undefined);
  const [reference, portText] = isNamed && second === undefined ? [undefined, first] : [first, second];
  const port = portText === undefined ? SSH_PORT : parsePort(portText);
  const given = parseTarget(reference, options, context.options.cluster);
  if (given.kind !== 'host') {
    await withTaskTarget(context, given, async (target, tasks) => {
      const { connectToSsh } = await import('../../tasks/index.js');
      await using session = await connectToSsh(tasks, target, { port, signal: context.signal });
      await carry(context, session.stream);
    });
    return;
  }
  if (given.container !== undefined || port !== SSH_PORT) {
    const what = port === SSH_PORT ? 'no --container' : `port ${SSH_PORT} alone`;
    throw new MngrFargateError('usage', `ssh-proxy to a host takes ${what}`, {
      hint: 'name its task with --cluster and --task',
    });
  }
  const { signal } = context;
  await (
    await ofItsProvider(context, given.reference)
  ).withHosts(async (hosts) => {
    const host = await hosts.get(given.reference, { signal });
    await carry(context, await hosts.openSsh(host, { signal }));
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new MngrFargateError('usage', `${JSON.stringify(text)} is not a port; give 1 to 65535`);
}

/** A host id says of which provider the host is, where this machine has created it: ssh's configuration names ids alone. */
async function ofItsProvider(context: CliContext, reference: string): Promise<CliContext> {
  const { io, options, passthrough, interrupts } = context;
  if (options.provider !== undefined || !isHostId(reference)) return context;
  const { sshConfigOf } = await import('../../hosts/index.js');
  const provider = await sshConfigOf(await context.keyDirectory()).providerOf(reference);
  return provider === undefined ? context : new CliContext(io, { ...options, provider }, passthrough, interrupts);
}

/** Joins the stream with stdin and stdout, until either side ends it. */
async function carry({ io: { stdin, stdout }, signal }: CliContext, stream: Duplex): Promise<void> {
  // ssh ends its side only when it has got all that it wants, so whichever direction ends first ends the connection.
  const sent = pipeline(stdin, stream, { signal });
  const received = pipeline(stream, stdout, { signal, end: false });
  try {
    await Promise.race([sent, received]);
  } catch (error) {
    // ssh hangs up on its proxy when it is done.
    if (signal.aborted) return;
    throw new MngrFargateError('unreachable', `the connection was lost: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    sent.catch(() => undefined);
    received.catch(() => undefined);
    if (!stream.closed) {
      const closed = once(stream, 'close').catch(() => undefined);
      stream.destroy();
      await closed;
    }
  }
}

/** `ssh-proxy TARGET [PORT]`, for ssh's ProxyCommand */
export const sshProxyCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('ssh-proxy')
    .usage('[options] [target] [port]')
    .description("carry a connection to the SSH server of a host or a task on stdin and stdout, for ssh's ProxyCommand")
    .argument('[target]', TARGET_ARGUMENT)
    .argument('[port]', 'port of the SSH server (default: 22)');
  addTargetOptions(addJumpOption(command)).action(runner.action(sshProxy));
};
