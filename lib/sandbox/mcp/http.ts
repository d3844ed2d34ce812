import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { SandboxApiError } from '../client';
import { createMcpServer } from './server';
import type { Workplace } from './workplace';

export interface McpHttpOptions {
  /** The workplace of a connection that brings this key. Throws what the service answers to a wrong key. */
  readonly workplaceOf: (key: string) => Promise<Workplace>;
  /** Names that the header Host may have besides those of this machine's loopback: against pages that rebind DNS names. */
  readonly allowedHosts?: readonly string[];
}

interface Connection {
  readonly transport: StreamableHTTPServerTransport;
  readonly keyHash: Buffer;
  readonly close: () => Promise<void>;
  idle: NodeJS.Timeout;
}

const PATH = '/mcp';
const MAX_BODY = 4 * 1024 * 1024;
const MAX_CONNECTIONS = 256;
/** A connection that asks nothing for this long is closed, and its sandbox destroyed: many clients never say goodbye. */
const IDLE_MS = 60 * 60_000;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** MCP over streamable HTTP at /mcp. Every request brings a key of the sandbox service as `Authorization: Bearer`. */
export class McpHttpServer {
  private readonly connections = new Map<string, Connection>();
  private readonly server: Server;

  constructor(private readonly options: McpHttpOptions) {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => answer(response, statusOf(error), messageOf(error)));
    });
    this.server.headersTimeout = 15_000;
  }

  /** Returns the URL. Throws the system's error, for example for a port that is taken. */
  listen(port: number, host: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        const { port: taken } = this.server.address() as { readonly port: number };
        resolve(`http://${host.includes(':') ? `[${host}]` : host}:${taken}${PATH}`);
      });
    });
  }

  /** Ends every connection, and destroys the sandboxes that were made for them. */
  async close(): Promise<void> {
    this.server.close();
    await Promise.all([...this.connections.values()].map(({ close }) => close()));
    this.server.closeAllConnections();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (new URL(request.url ?? '/', 'http://x').pathname !== PATH) return answer(response, 404, `MCP is at ${PATH}`);
    const stranger = this.stranger(request);
    if (stranger !== undefined) return answer(response, 403, stranger);
    const [, key] = /^bearer +(\S{1,512})$/i.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) {
      response.setHeader('www-authenticate', 'Bearer');
      return answer(
        response,
        401,
        'there is no key: send Authorization: Bearer KEY, with a key of the sandbox service',
      );
    }
    const body = request.method === 'POST' ? await bodyOf(request) : undefined;
    const id = request.headers['mcp-session-id'];
    if (id === undefined) return this.begin(request, response, body, key);
    const connection = typeof id === 'string' ? this.connections.get(id) : undefined;
    // Another key's connection is as unknown as one that never was.
    if (connection === undefined || !timingSafeEqual(connection.keyHash, hashOf(key))) {
      return answer(response, 404, 'this connection is not known, or has ended: initialize a new one');
    }
    connection.idle.refresh();
    await connection.transport.handleRequest(request, response, body);
  }

  private async begin(request: IncomingMessage, response: ServerResponse, body: unknown, key: string): Promise<void> {
    if (this.connections.size >= MAX_CONNECTIONS) return answer(response, 503, 'there are too many connections');
    const workplace = await this.options.workplaceOf(key);
    const server = createMcpServer(workplace);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        const close = async (): Promise<void> => {
          if (!this.connections.delete(id)) return;
          clearTimeout(connection.idle);
          await server.close();
          // The service's sweep ends what can't be destroyed now.
          await workplace.close().catch(() => undefined);
        };
        const connection: Connection = {
          ...{ transport, close, keyHash: hashOf(key) },
          idle: setTimeout(() => void close(), IDLE_MS).unref(),
        };
        this.connections.set(id, connection);
      },
    });
    transport.onclose = () => void this.connections.get(transport.sessionId ?? '')?.close();
    await server.connect(transport);
    await transport.handleRequest(request, response, body);
    // A request that was no initialize has begun nothing.
    if (transport.sessionId === undefined) await server.close();
  }

  /** Why a request comes from a page that has no business here; undefined for programs. */
  private stranger({ headers }: IncomingMessage): string | undefined {
    const allowed = [...LOOPBACK, ...(this.options.allowedHosts ?? [])];
    const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    if (!allowed.includes(host)) return 'this Host is not allowed here';
    if (headers.origin === undefined) return undefined;
    const from = URL.canParse(headers.origin) ? new URL(headers.origin).hostname : '';
    return allowed.includes(from) ? undefined : 'pages of this Origin are not allowed here';
  }
}

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

class TooLarge extends Error {}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new TooLarge(`the body is larger than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

function statusOf(error: unknown): number {
  if (error instanceof SandboxApiError) return error.status;
  if (error instanceof TooLarge) return 413;
  return error instanceof SyntaxError ? 400 : 500;
}

const messageOf = (error: unknown): string =>
  error instanceof SandboxApiError || error instanceof TooLarge
    ? error.message
    : error instanceof SyntaxError
      ? 'the body is not valid JSON'
      : 'something went wrong';

/** An error as JSON-RPC has it. */
function answer(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', ...(status === 413 && { connection: 'close' }) });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}
