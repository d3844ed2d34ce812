import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';

/** What the model says: text, or a call of one of the program's tools. */
export interface ModelReply {
  readonly text: string;
  readonly tool?: { readonly name: string; readonly input: unknown };
}

/** One event of a stream; its data repeats its type. */
export type ServerEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A model's API on the wire, on a port of this machine. Its answers are the test's. */
export abstract class ModelServer {
  private readonly server: Server;
  /** Texts of the user's turns, in the order of their arrival. */
  readonly turns: string[] = [];
  /** The API keys that came with them. */
  readonly keys = new Set<string>();
  /** Requests that this API doesn't have. */
  readonly unknown: string[] = [];

  protected abstract readonly paths: Readonly<Record<string, 'answer' | 'count'>>;

  constructor(private readonly reply: (turn: string) => ModelReply | Promise<ModelReply>) {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** The text of the user's last turn; undefined for calls that a program makes for itself. */
  protected abstract lastText(body: unknown): string | undefined;
  protected abstract write(response: ServerResponse, body: unknown, reply: ModelReply): void;
  protected abstract count(response: ServerResponse): void;

  protected events(response: ServerResponse, events: readonly ServerEvent[]): void {
    response.setHeader('content-type', 'text/event-stream');
    for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    response.end();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = `${request.method} ${(request.url ?? '').split('?')[0]}`;
    const content = await readAll(request);
    const kind = this.paths[path];
    if (kind === undefined) {
      this.unknown.push(path);
      // A program that asks for a WebSocket first goes on with plain HTTP when it is told that there is none.
      response.statusCode = request.headers.upgrade === undefined ? 404 : 426;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ type: 'error', error: { type: 'not_found_error', message: path } }));
      return;
    }
    if (kind === 'count') return this.count(response);
    const key = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '');
    this.keys.add(String(key));
    const body: unknown = JSON.parse(content);
    const turn = this.lastText(body);
    if (turn !== undefined) this.turns.push(turn);
    this.write(response, body, turn === undefined ? { text: 'ok' } : await this.reply(turn));
  }
}
