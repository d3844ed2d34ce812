import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { AwsError } from '../../../../lib/local/wire/aws-error';
import { LoopbackServer } from '../../../../lib/local/wire/http/server';
import { upgradeHandler } from '../../../../lib/local/wire/http/upgrades';
import type { UpgradeRoute } from '../../../../lib/local/wire/http/upgrades';
import type { Service } from '../../../../lib/local/services/service';

/** RFC 6455, section 1.3 */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Does the handshake and then sends everything back in capitals, after the session's id. */
const channel: UpgradeRoute = {
  path: /\/v1\/data-channel\/([\w-]+)/,
  open: ({ message, socket, firstBytes }, [sessionId = '']) => {
    if (sessionId === 'unknown') throw new AwsError('SessionNotFound', 'there is no such session', { status: 404 });
    if (sessionId === 'broken') throw new Error('a fault of the service');
    const accept = createHash('sha1').update(`${message.headers['sec-websocket-key']}${WEBSOCKET_GUID}`);
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n${sessionId}:`,
    );
    const answer = (data: Buffer): boolean => socket.write(data.toString().toUpperCase());
    if (firstBytes.length > 0) answer(firstBytes);
    socket.on('data', answer);
  },
};

describe('a WebSocket upgrade', () => {
  let server: LoopbackServer;
  const faults: unknown[] = [];
  const sockets: Socket[] = [];

  const service = { upgrades: [channel] } as unknown as Service;

  beforeEach(async () => {
    server = await LoopbackServer.listen(0, {
      admit: () => ({ maxBodyBytes: 0 }),
      serve: () => Promise.reject(new Error('only upgrades are expected')),
      upgrade: upgradeHandler([service]),
      onFault: (fault) => faults.push(fault),
    });
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.close();
  });

  const open = (path: string, headers: Readonly<Record<string, string>> = {}, rest = ''): Socket => {
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    const all = {
      host: `127.0.0.1:${server.port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': KEY,
      'sec-websocket-version': '13',
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${rest}`);
    return socket;
  };

  /** What the server sends until it has sent the text. */
  const until = (socket: Socket, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let seen = '';
      socket.on('data', (data) => {
        seen += data.toString();
        if (seen.includes(text)) resolve(seen);
      });
      socket.once('close', () => reject(new Error(`the connection was closed after ${JSON.stringify(seen)}`)));
    });

  /** Everything that the server sends before it closes the connection. */
  const answer = (socket: Socket): Promise<string> =>
    new Promise((resolve) => {
      let seen = '';
      socket.on('data', (data) => (seen += data.toString()));
      socket.once('close', () => resolve(seen));
    });

  it('is handed to the service that claims its path, which then has the connection to itself', async () => {
    const socket = open('/v1/data-channel/session-1?role=publish_subscribe', {}, 'early ');
    const opened = await until(socket, 'session-1:EARLY ');
    expect(opened).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(opened).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    const echoed = until(socket, 'LATE');
    socket.write('late');
    await echoed;
  });

  it.each<[string, string, Record<string, string>, number, RegExp]>([
    ['at a path that no service claims', '/v2/other', {}, 404, /no WebSocket is served at \/v2\/other/],
    ['at a path that only begins like a claimed one', '/v1/data-channel/a/b', {}, 404, /no WebSocket/],
    ['of a web page', '/v1/data-channel/a', { origin: 'http://evil.example' }, 403, /web pages/],
    ['for another host', '/v1/data-channel/a', { host: 'evil.example' }, 403, /Host header/],
    ['to another protocol', '/v1/data-channel/a', { upgrade: 'h2c' }, 400, /Upgrade: websocket/],
    ['that the service refuses', '/v1/data-channel/unknown', {}, 404, /there is no such session/],
  ])('%s gets an HTTP error, and the connection is closed', async (_, path, headers, status, text) => {
    const seen = await answer(open(path, headers));
    expect(seen).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(seen).toMatch(text);
  });

  it('is answered with an error when the service fails, and the fault is told', async () => {
    faults.length = 0;
    expect(await answer(open('/v1/data-channel/broken'))).toMatch(/^HTTP\/1\.1 500 .*its log says why/s);
    expect(faults).toEqual([expect.objectContaining({ message: 'a fault of the service' })]);
  });

  it('is refused while too many are open', async () => {
    const many = Array.from({ length: 512 }, (_, n) => open(`/v1/data-channel/many-${n}`));
    await Promise.all(many.map((socket, n) => until(socket, `many-${n}:`)));
    expect(await answer(open('/v1/data-channel/one-more'))).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('ends when the server closes', async () => {
    const socket = open('/v1/data-channel/x');
    await until(socket, 'x:');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await closed;
  });
});
