import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** An HTTP API over connections that are kept, as cheap as Node's client makes it. */
export class ApiConnection {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** The whole answer. Throws with it unless it is a success. */
  async json<T>(method: string, path: string, body?: object): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.send(method, path, text);
    return JSON.parse(await textOf(response)) as T;
  }

  /** The answer as it comes. */
  stream(method: string, path: string): Promise<IncomingMessage> {
    return this.send(method, path, undefined);
  }

  async upload(path: string, data: Readable): Promise<void> {
    const sent = request(this.url + path, { method: 'PUT', agent: this.agent, headers: this.headers });
    const answered = answerOf(sent);
    await pipeline(data, sent);
    await textOf(await answered);
  }

  close(): void {
    this.agent.destroy();
  }

  private send(method: string, path: string, text: string | undefined): Promise<IncomingMessage> {
    const headers =
      text === undefined
        ? this.headers
        : { ...this.headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request(this.url + path, { method, agent: this.agent, headers });
    const answered = answerOf(sent);
    sent.end(text);
    return answered;
  }
}

async function answerOf(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject);
  });
  if ((response.statusCode ?? 0) < 400) return response;
  throw new Error(`${sent.method} ${sent.path}: ${response.statusCode} ${await textOf(response)}`);
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part as string;
  return text;
}
