import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { Failure } from '../failure';
import type { Host } from '../host/host';
import type { Call } from '../http/server';

/** Passes requests about files on to a worker process of the user's, which is started when one comes. */
export class FileWorker {
  private readonly agent = new Agent({ keepAlive: true });
  private socket: Promise<string> | undefined;
  private child: ChildProcess | undefined;

  constructor(private readonly host: Host) {}

  async answer({ request: incoming, response }: Call): Promise<void> {
    const socketPath = await (this.socket ??= this.start());
    await new Promise<void>((resolve, reject) => {
      const { authorization: _token, connection: _connection, ...headers } = incoming.headers;
      const outgoing = request({ socketPath, agent: this.agent, method: incoming.method, path: incoming.url, headers });
      outgoing.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        // Also when nothing has been sent for a long time.
        response.flushHeaders();
        answer.pipe(response);
        answer.on('error', () => response.destroy());
        answer.on('aborted', () => response.destroy());
        answer.on('close', () => resolve());
      });
      outgoing.on('error', (error) => {
        if (response.headersSent) response.destroy();
        reject(new Failure('internal', `the file worker ended: ${error.message}: try again`));
      });
      response.on('close', () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      // A client that is gone must not look like the end of the data.
      incoming.on('aborted', () => outgoing.destroy()).on('error', () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
  }

  end(): void {
    this.child?.kill('SIGKILL');
    this.agent.destroy();
  }

  private async start(): Promise<string> {
    const { settings, root } = this.host;
    const { uid, gid, home } = settings.user;
    const folder = join(settings.directory, 'files');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
    if (root) chownSync(folder, uid, gid);
    const socket = join(folder, randomBytes(6).toString('hex'));
    const child = spawn(process.execPath, [__filename, 'files', socket, settings.workspace], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: this.host.startFolder(home),
      env: this.host.environment(),
      ...this.host.identity,
    });
    this.child = child;
    const ended = (): void => {
      if (this.child !== child) return;
      this.child = undefined;
      this.socket = undefined;
      this.agent.destroy();
    };
    child.once('exit', ended);
    child.stdin.on('error', () => undefined);
    try {
      await new Promise<void>((resolve, reject) => {
        child.stdout.once('data', () => resolve());
        child.once('error', reject);
        child.once('exit', (code, signal) => reject(new Error(`it ended with ${signal ?? code}`)));
      });
    } catch (error) {
      ended();
      throw new Failure('internal', `the file worker cannot be started: ${(error as Error).message}: try again`);
    }
    child.stdout.resume();
    child.unref();
    return socket;
  }
}
