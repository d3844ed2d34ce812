import { MngrFargateError } from '../../../contract/errors';
import type { Sandbox, SandboxClient } from '../../../sandbox/client';
import type { CliContext } from '../../context';

/**
 * Runs `work` with the sandbox service: that of MNGR_SANDBOX_URL and SANDBOX_SECRET, else the one that runs on this machine.
 * Throws `usage` when there is neither, and the client's errors as the command line's.
 */
export async function withService<Result>(
  context: CliContext,
  work: (client: SandboxClient) => Promise<Result>,
): Promise<Result> {
  const [{ SandboxClient }, { sandboxProblem }] = await Promise.all([
    import('../../../sandbox/client/index.js'),
    import('./problem.js'),
  ]);
  try {
    const { WebSocket } = await import('ws');
    return await work(new SandboxClient({ ...(await placeOf(context)), WebSocket }));
  } catch (error) {
    throw sandboxProblem(error, context.signal);
  }
}

/** The same with one sandbox. */
export const withSandbox = <Result>(
  context: CliContext,
  id: string,
  work: (sandbox: Sandbox, client: SandboxClient) => Promise<Result>,
): Promise<Result> =>
  withService(context, async (client) => work(await client.connect(id, { signal: context.signal }), client));

/** Where the service is, and the key. The key comes from the environment or a private file, and never from an argument. */
export async function placeOf({ io }: CliContext): Promise<{ readonly url: string; readonly key: string }> {
  const { MNGR_SANDBOX_URL: url, SANDBOX_SECRET: key } = io.environment;
  if (url && key) return { url, key };
  const { defaultDataDirectory, readServiceRecord } = await import('../../../sandbox/service-record.js');
  const running = await readServiceRecord(defaultDataDirectory(io.environment));
  const place = running !== undefined && (!url || url === running.url) ? running : undefined;
  const known = key || place?.key;
  if (place !== undefined && known) return { url: place.url, key: known };
  const missing = url || place?.url;
  if (missing) {
    throw new MngrFargateError('usage', `the key of the sandbox service at ${missing} is missing`, {
      hint: 'set SANDBOX_SECRET',
    });
  }
  throw new MngrFargateError('usage', 'no sandbox service runs on this machine', {
    hint: 'start one with "mngr-fargate sandbox serve", or set MNGR_SANDBOX_URL and SANDBOX_SECRET',
  });
}
