import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { MngrFargateError } from '../../contract/errors';
import type { CliContext } from '../context';
import type { CommandRegistration } from '../runner';

async function sshProxy(context: CliContext, reference: string): Promise<void> {
  if (context.json) throw new MngrFargateError('usage', 'ssh-proxy carries SSH on stdout, and prints no JSON');
  const { stdin, stdout } = context.io;
  await context.withHosts(async (hosts) => {
    const { signal } = context;
    const stream = await hosts.openSsh(await hosts.get(reference, { signal }), { signal });
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
  });
}

/** `ssh-proxy HOST`, for ssh's ProxyCommand */
export const sshProxyCommand: CommandRegistration = (program, runner) => {
  program
    .command('ssh-proxy')
    .description("carry a connection to a host's SSH server on stdin and stdout, for ssh's ProxyCommand")
    .argument('<host>', 'name, host id or task ARN')
    .action(runner.action(sshProxy));
};
