import { createConnection } from 'node:net';
import { MngrFargateError } from '../contract/errors';
import { reasonOf } from '../util/system-error';

/** The socket of the user's ssh-agent, which answers. Throws `usage` if there is no agent. */
export async function answeringAgent(socket: string | undefined): Promise<string> {
  if (socket === undefined || socket === '') throw noAgent('SSH_AUTH_SOCK is not set', undefined);
  await new Promise<void>((resolve, reject) => {
    const connection = createConnection(socket);
    connection.once('connect', resolve).on('error', (error) => {
      reject(noAgent(`nothing answers at SSH_AUTH_SOCK (${socket}): ${reasonOf(error) ?? error.message}`, error));
    });
    connection.once('connect', () => connection.destroy());
  });
  return socket;
}

const noAgent = (why: string, cause: Error | undefined): MngrFargateError =>
  new MngrFargateError('usage', `there is no ssh-agent to forward: ${why}`, {
    cause,
    hint: 'start one with: eval "$(ssh-agent)" && ssh-add',
  });
