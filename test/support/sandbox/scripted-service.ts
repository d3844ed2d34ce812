import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';

/** A request as it came over the wire. */
export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type ScriptedAnswer = (response: ServerResponse, seen: SeenRequest) => void;

/** What a service does that no healthy one does on demand: it cuts streams, is busy, or answers nonsense. */
export class ScriptedService {
  readonly seen: SeenRequest[] = [];
  private readonly server: Server;

  private constructor(answers: readonly ScriptedAnswer[]) {
    let next = 0;
    this.server = createServer((request, response) => {
      void readAll(request).then((body) => {
        const seen = { line: `${request.method} ${request.url}`, headers: request.headers, body };
        this.seen.push(seen);
        const answer = answers[Math.min(next, answers.length - 1)];
        next += 1;
        answer?.(response, seen);
      });
    });
  }

  /** Answers each request with the next of the answers, and all further ones with the last. */
  static async start(...answers: readonly ScriptedAnswer[]): Promise<ScriptedService> {
    const service = new ScriptedService(answers);
    service.server.listen(0, '127.0.0.1');
    await once(service.server, 'listening');
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

export const json =
  (status: number, body: object, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

/** A stream of events whose connection then breaks, or ends in good order. */
export const events =
  (text: string, end: 'cut' | 'end') =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(text, () => (end === 'cut' ? response.destroy() : response.end()));
  };

/** The connection breaks before an answer. */
export const cut = (response: ServerResponse): void => void response.destroy();
