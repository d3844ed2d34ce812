import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { HTTP_LIMITS } from '../../../lib/sandbox/http/limits';
import type { AccessLine } from '../../../lib/sandbox/http/access-log';
import type { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';
import { eventually } from '../../support/run/eventually';

let server: TestServer;
let api: ApiClient;
let box: string;
const log: AccessLine[] = [];

beforeAll(async () => {
  server = await startTestServer({ streams: { all: 40, ofOneKey: 20 }, onRequest: (line) => log.push(line) });
  api = await server.admin.newKey(`attacks-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
});
afterAll(() => server.close());

/** What the server says to raw text, up to the end of the connection. */
async function say(text: string, then?: (socket: Socket) => void): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (part) => (answer += part.toString()));
  socket.on('error', () => undefined);
  socket.write(text);
  then?.(socket);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return answer;
}

const headersOf = (answer: string): string => answer.split('\r\n\r\n')[0] ?? '';
const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

describe('broken requests', () => {
  test('what is not HTTP is answered in the form of all errors, and the connection ends', async () => {
    const answer = await say('HELO there\r\n\r\n');
    expect(headersOf(answer)).toMatch(/^HTTP\/1\.1 400 /);
    expect(bodyOf(answer)).toMatchObject({ error: 'bad_request', detail: 'the request is not valid HTTP' });
  });

  test('headers without an end', async () => {
    const answer = await say(`GET /health HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`);
    expect(headersOf(answer)).toMatch(/^HTTP\/1\.1 431 /);
    expect(bodyOf(answer)).toMatchObject({ error: 'bad_request' });
  });

  test('a request smuggled with two lengths', async () => {
    const answer = await say(
      'POST /sandbox HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(headersOf(answer)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('an endless body that nobody wants is answered, and then cut off', async () => {
    const answer = await say(
      'PUT /sandbox/x/fs/raw?path=x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
      (socket) => {
        const more = () => {
          while (socket.writable && socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`));
        };
        socket.on('drain', more);
        more();
      },
    );
    expect(headersOf(answer)).toMatch(/^HTTP\/1\.1 401 /);
    expect(bodyOf(answer)).toMatchObject({ error: 'unauthorized' });
  });

  test('an upgrade to anything but a WebSocket', async () => {
    const answer = await say(
      `GET ${box}/pty HTTP/1.1\r\nHost: x\r\nX-Sandbox-Secret: ${api.key}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    );
    expect(headersOf(answer)).toMatch(/^HTTP\/1\.1 426 /);
  });

  test('an upgrade of a route that is no WebSocket is an ordinary request', async () => {
    const answer = await say('GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    expect(headersOf(answer)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('headers and bodies that come slowly have a time, and connections a number', () => {
    // Node's own clock ends slow headers; what is set is what is promised.
    const { headersMs, jsonBodyMs, uploadIdleMs } = HTTP_LIMITS;
    expect([headersMs, jsonBodyMs, uploadIdleMs].every((limit) => limit <= 60_000)).toBe(true);
  });

  test('a body that stops is cut off', async () => {
    const started = `POST /sandbox HTTP/1.1\r\nHost: x\r\nX-Sandbox-Secret: ${api.key}\r\n`;
    // Resolves because the server ends the connection, in its own time.
    expect(await say(`${started}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{`)).toBe('');
  });
});

describe('injection', () => {
  test('line ends in ids reach no header and no log', async () => {
    const { status } = await api.post('/sandbox', { id: 'a\r\nX-Evil: 1' });
    expect(status).toBe(400);
    const answer = await api.get(`/sandbox/${encodeURIComponent('a\r\nX-Evil: 1')}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('x-evil')).toBeNull();
    await eventually(async () => expect(log.some(({ status: logged }) => logged === 404)).toBe(true));
    expect(JSON.stringify(log)).not.toMatch(/Evil|\\r|\\n/);
  });

  test('no key, token or path is in the access log', async () => {
    await api.get('/sandbox', { authorization: 'Bearer hunter2' });
    const { ticket } = (await api.post(`${box}/tickets`)).json;
    await fetch(`${server.url}${box}/fs/raw?path=secret-name&ticket=${ticket}`);
    const { path } = (await api.post(`${box}/ports/1/link`)).json;
    await fetch(server.url + path);
    await eventually(async () => expect(log.at(-1)?.route).toBe('/link/:token/*'));
    const text = JSON.stringify(log);
    for (const secret of [api.key, ticket, path, 'hunter2', 'secret-name']) expect(text).not.toContain(secret);
  });

  test('HTML in an id is JSON, never a page', async () => {
    const id = '<script>alert(1)<x>';
    const { json } = await api.post('/sandbox', { id });
    expect(json.id).toBe(id);
    const { headers, text } = await api.get(`/nothing/${encodeURIComponent(id)}`);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toContain('<script>');
    await api.delete(`/sandbox/${encodeURIComponent(id)}`);
  });

  test('a form of another site can do nothing', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const response = await fetch(`${server.url}/sandbox`, {
        method: 'POST',
        headers: { 'content-type': type, origin: 'https://evil.example' },
        body: '{"id":"csrf"}',
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test.each(['/workspace/../etc/hostname', '../../etc/hostname', '/proc/self/root/etc/hostname'])(
    'the path %s has the rights of the sandbox’s user, no more',
    async (path) => {
      const { status, json } = await api.get(`${box}/fs?path=${encodeURIComponent(path)}`);
      expect([200, 403, 404]).toContain(status);
      if (status !== 200) expect(json.error).toMatch(/permission_denied|file_not_found/);
    },
  );

  test('a body over the limit', async () => {
    const { status, json } = await api.post(`${box}/exec`, { cmd: `: ${'x'.repeat(2_000_000)}` });
    expect([status, json.error]).toEqual([413, 'too_large']);
  });
});

describe('many streams', () => {
  test('are bounded for a key, without harm to others, and given back', async () => {
    const { json } = await api.post(`${box}/exec`, { argv: ['cat'], stdin: 'open' });
    const path = `${box}/events/${json.seq}/stream`;
    const controllers = Array.from({ length: 20 }, () => new AbortController());
    await Promise.all(
      controllers.map(({ signal }) =>
        fetch(server.url + path, { headers: { 'x-sandbox-secret': api.key }, signal }).then(({ status }) =>
          expect(status).toBe(200),
        ),
      ),
    );
    const refused = await api.get(path);
    expect([refused.status, refused.json.error, refused.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '5',
    ]);
    expect((await api.get(box)).status).toBe(200);
    const other = await server.admin.newKey(`calm-${randomUUID().slice(0, 8)}`);
    const calm = await other.sandbox();
    const { seq } = await other.run(calm, { cmd: 'echo hi' });
    expect((await other.get(`${calm}/events/${seq}/stream`)).text).toContain('hi');
    for (const controller of controllers) controller.abort();
    await api.post(`${box}/events/${json.seq}/signal`, { signal: 'KILL' });
    await eventually(async () => expect((await api.get(path)).status).toBe(200));
    await other.delete(calm);
  });

  test('a reader that does not read holds up neither the command nor memory', async () => {
    const size = 64 * 1024 * 1024;
    const { json } = await api.post(`${box}/exec`, { argv: ['head', '-c', String(size), '/dev/zero'] });
    const socket = connect(server.port, '127.0.0.1');
    socket.pause();
    socket.write(`GET ${box}/events/${json.seq}/stream HTTP/1.1\r\nHost: x\r\nX-Sandbox-Secret: ${api.key}\r\n\r\n`);
    const event = await api.get(`${box}/events/${json.seq}?wait=50`);
    expect(event.status).toBe(200);
    socket.destroy();
  });

  test('WebSockets are counted too, and the server ends with some open', async () => {
    const own = await startTestServer({ streams: { all: 2, ofOneKey: 2 } });
    const key = await own.admin.newKey('sockets');
    const sandbox = await key.sandbox();
    const open = () =>
      new WebSocket(`${own.url.replace('http', 'ws')}${sandbox}/pty?command=cat`, {
        headers: { 'x-sandbox-secret': key.key },
      });
    const sockets = [open(), open()];
    await Promise.all(sockets.map((socket) => once(socket, 'message')));
    const third = open();
    third.on('error', () => undefined);
    const [, response] = (await once(third, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(429);
    const closed = sockets.map((socket) => once(socket, 'close'));
    await key.delete(sandbox);
    await own.close();
    await Promise.all(closed);
  });
});
