import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';
import { freePort } from '../../support/run/free-port';

let server: TestServer;
let api: ApiClient;
let box: string;
let port: number;

/** A server in the sandbox: says what it was asked, and echoes WebSockets. */
const APP = `
const http = require('node:http');
const crypto = require('node:crypto');
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname === '/redirect') return response.writeHead(302, { location: '/there?x=1' }).end();
  if (url.pathname === '/away') return response.writeHead(302, { location: 'https://example.com/' }).end();
  if (url.pathname === '/cookies') return response.writeHead(200, { 'set-cookie': ['a=b; Path=/; Domain=example.com; HttpOnly', 'c=d'], 'strict-transport-security': 'max-age=9', 'clear-site-data': '"*"', 'service-worker-allowed': '/' }).end('ok');
  if (url.pathname === '/slow') { response.write('first'); request.on('end', () => response.end('last')); request.resume(); return; }
  if (url.pathname === '/broken') { response.writeHead(200, { 'content-length': 100 }); response.write('x', () => response.destroy()); return; }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(parts).toString() })));
});
server.on('upgrade', (request, socket, head) => {
  const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  const origin = request.headers.origin === undefined ? '' : 'X-Origin: ' + request.headers.origin + '\\r\\n';
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n' + origin + '\\r\\n');
  socket.on('error', () => {});
  // Frames of a client are masked; this answers with a frame of what it got, for short ones.
  socket.on('data', (data) => { const length = data[1] & 127; const mask = data.subarray(2, 6); const text = Buffer.from(data.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4])); if ((data[0] & 15) !== 8) socket.write(Buffer.concat([Buffer.from([data[0], length]), text])); else socket.end(); });
});
server.listen(Number(process.argv[1]), '127.0.0.1', () => console.log('listening'));
`;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`ports-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
  port = await freePort();
  const { json } = await api.post(`${box}/exec`, { argv: ['node', '-e', APP, String(port)], timeout_seconds: 600 });
  for await (const { event } of api.events(`${box}/events/${json.seq}/stream`)) if (event === 'stdout') break;
});
afterAll(() => server.close());

const at = (path: string): string => `${box}/ports/${port}${path}`;

async function link(body: object = {}): Promise<{ url: string; path: string; expires_at: number }> {
  const { status, json } = await api.post(`${box}/ports/${port}/link`, body);
  expect(status).toBe(201);
  return json;
}

describe('with a key', () => {
  test('a request goes through whole, without the key', async () => {
    const answer = await api.send('POST', at('/a%2Fb/?x=%20y'), 'the body', {
      'content-type': 'text/plain',
      'x-own': 'yes',
      authorization: 'Basic app',
      cookie: 'app=1',
    });
    const seen = JSON.parse(answer.text);
    expect(seen).toMatchObject({ method: 'POST', url: '/a%2Fb/?x=%20y', body: 'the body' });
    expect(seen.headers).toMatchObject({
      host: `localhost:${port}`,
      'x-own': 'yes',
      authorization: 'Basic app',
      cookie: 'app=1',
    });
    expect(seen.headers).toMatchObject({ 'x-forwarded-host': new URL(server.url).host, 'x-forwarded-prefix': at('') });
    expect(answer.text).not.toContain(api.key);
  });

  test('a key that comes as a bearer token is not passed on either', async () => {
    const response = await fetch(server.url + at('/'), {
      headers: { authorization: `Bearer ${api.key}`, cookie: 'a=1' },
    });
    const text = await response.text();
    expect(text).not.toContain(api.key);
    expect(JSON.parse(text).headers).not.toHaveProperty('authorization');
    expect(JSON.parse(text).headers).not.toHaveProperty('cookie');
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s', async (method) => {
    const { text } = await api.send(method, at('/x'));
    expect(JSON.parse(text)).toMatchObject({ method, url: '/x' });
  });

  test('an answer streams while the request is still being sent', async () => {
    const outgoing = request(server.url + at('/slow'), { method: 'POST', headers: { 'x-sandbox-secret': api.key } });
    outgoing.write('some');
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const [first] = (await once(answer, 'data')) as [Buffer];
    expect(first.toString()).toBe('first');
    outgoing.end();
    const [last] = (await once(answer, 'data')) as [Buffer];
    expect(last.toString()).toBe('last');
  });

  test('redirects and cookies stay below the port; nothing is said about the whole host', async () => {
    expect((await api.get(at('/redirect'))).headers.get('location')).toBe(at('/there?x=1'));
    expect((await api.get(at('/away'))).headers.get('location')).toBe('https://example.com/');
    const { headers } = await api.get(at('/cookies'));
    expect(headers.getSetCookie()).toEqual([`a=b; HttpOnly; Path=${at('/')}`, `c=d; Path=${at('/')}`]);
    for (const name of ['strict-transport-security', 'clear-site-data', 'service-worker-allowed']) {
      expect(headers.get(name)).toBeNull();
    }
    expect(headers.get('content-security-policy')).toMatch(/^sandbox (?!.*allow-same-origin)/);
  });

  test('an answer that breaks off breaks off here too', async () => {
    await expect(
      fetch(server.url + at('/broken'), { headers: { 'x-sandbox-secret': api.key } }).then((r) => r.text()),
    ).rejects.toThrow();
  });

  test('a port that nothing listens on, a port that is none, and a path without its slash', async () => {
    const answer = await api.get(`${box}/ports/1/`);
    expect([answer.status, answer.json.error]).toEqual([502, 'port_unreachable']);
    expect((await api.get(`${box}/ports/0/`)).json).toMatchObject({ field: 'port' });
    expect((await api.get(`${box}/ports/65536/`)).json).toMatchObject({ field: 'port' });
    const redirect = await api.get(at(''));
    expect([redirect.status, redirect.headers.get('location')]).toEqual([308, at('/')]);
  });

  test('a WebSocket goes through', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${at('/ws')}`, {
      headers: { 'x-sandbox-secret': api.key },
    });
    await once(socket, 'open');
    socket.send('hello');
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).toBe('hello');
    socket.close();
    await once(socket, 'close');
  });

  test('a WebSocket without a key, or from a page of another site, is refused', async () => {
    const refused = (headers: Record<string, string>) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}${at('/ws')}`, { headers });
        socket.on('unexpected-response', (_request, response: IncomingMessage) => resolve(response.statusCode));
        socket.on('error', () => undefined);
      });
    expect(await refused({})).toBe(401);
    expect(await refused({ 'x-sandbox-secret': api.key, origin: 'https://evil.example' })).toBe(403);
    expect(await refused({ 'x-sandbox-secret': api.key, origin: 'null' })).toBe(403);
  });
});

describe('signed links', () => {
  test('a link opens its port without a key, and a page behind it can’t use the API', async () => {
    const { url, path, expires_at } = await link({ expires_in_seconds: 60 });
    expect(url).toBe(server.url + path);
    expect(expires_at).toBeGreaterThan(Date.now());
    const response = await fetch(`${url}page?x=1`, { headers: { cookie: 'app=1', origin: 'null' } });
    const seen = JSON.parse(await response.text());
    expect(seen).toMatchObject({ url: '/page?x=1', headers: { cookie: 'app=1', origin: `http://localhost:${port}` } });
    expect(response.headers.get('content-security-policy')).toMatch(/^sandbox (?!.*allow-same-origin)/);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const preflight = await fetch(`${url}x`, {
      method: 'OPTIONS',
      headers: { origin: 'null', 'access-control-request-method': 'PUT' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    // The API itself lets no other origin in.
    const foreign = await fetch(`${server.url}/sandbox`, { method: 'OPTIONS', headers: { origin: 'null' } });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('a link is for its port alone, can’t be changed, and opens nothing else', async () => {
    const { path } = await link();
    const token = path.split('/')[2] as string;
    const [content = '', signature = ''] = token.split('.');
    const other = Buffer.from(
      Buffer.from(content, 'base64url').toString().replace(`"port":${port}`, '"port":22'),
    ).toString('base64url');
    for (const changed of [`${other}.${signature}`, `${content}.${signature.slice(1)}x`, content, 'x.y']) {
      const answer = await new ApiClient(server.url, '').get(`/link/${changed}/`);
      expect(answer.status).toBe(401);
    }
    expect((await new ApiClient(server.url, token).get(box)).status).toBe(401);
    expect((await new ApiClient(server.url, '').get(`${box}/fs/raw?path=x&ticket=${token}`)).status).toBe(401);
    const { ticket } = (await api.post(`${box}/tickets`)).json;
    expect((await new ApiClient(server.url, '').get(`/link/${ticket}/`)).status).toBe(401);
  });

  test('a link ends with its time, and with its sandbox', async () => {
    const sandbox = await api.sandbox({ id: 'linked' });
    const made = (await api.post(`${sandbox}/ports/${port}/link`, { expires_in_seconds: 1 })).json;
    await new Promise((resolve) => setTimeout(resolve, made.expires_at - Date.now() + 5));
    expect((await new ApiClient(server.url, '').get(made.path)).status).toBe(401);
    const long = (await api.post(`${sandbox}/ports/${port}/link`)).json;
    await api.delete(sandbox);
    await api.sandbox({ id: 'linked' });
    expect((await new ApiClient(server.url, '').get(long.path)).status).toBe(401);
    await api.delete(sandbox);
  });

  test('a WebSocket of a page behind a link goes through', async () => {
    const { url } = await link();
    const socket = new WebSocket(`${url.replace('http', 'ws')}ws`, { headers: { origin: 'null' } });
    const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>;
    await once(socket, 'open');
    expect((await upgraded)[0].headers['x-origin']).toBe(`http://localhost:${port}`);
    socket.send('hello');
    expect(((await once(socket, 'message')) as [Buffer])[0].toString()).toBe('hello');
    socket.terminate();
  });

  test.each([{ expires_in_seconds: 0 }, { expires_in_seconds: 90_000 }, { expires_in_seconds: '60' }])(
    '%j is refused',
    async (body) => {
      expect((await api.post(`${box}/ports/${port}/link`, body)).json).toMatchObject({ field: 'expires_in_seconds' });
    },
  );
});
