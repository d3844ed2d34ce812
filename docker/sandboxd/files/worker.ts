import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { fail } from '../http/server';
import { answerFiles } from './routes';

/**
 * The process that does all work on files, with the rights of the sandbox's user and nothing of the engine's. It ends with
 * the engine, and user code that kills it only makes the engine start another.
 */
export async function serveFiles(socket: string, workspace: string): Promise<void> {
  process.umask(0o022);
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    answerFiles(request, response, workspace).catch((error: unknown) => fail(request, response, error));
  });
  server.requestTimeout = 0;
  server.keepAliveTimeout = 600_000;
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  process.stdin
    .on('end', () => process.exit(0))
    .on('error', () => process.exit(0))
    .resume();
  process.stdout.write('ready\n');
}
