import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';
import { eventually } from '../../support/run/eventually';

let server: TestServer;
let api: ApiClient;
let box: string;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`files-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
});
afterAll(() => server.close());

const base64 = (content: Buffer | string): string => Buffer.from(content).toString('base64');
const raw = (path: string, more = ''): string => `${box}/fs/raw?path=${encodeURIComponent(path)}${more}`;

/** A request as Node sends it, with its answer unread. */
async function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Readable,
): Promise<IncomingMessage> {
  const outgoing = request(server.url + path, { method, headers: { 'x-sandbox-secret': api.key, ...headers } });
  if (body === undefined) outgoing.end();
  else body.pipe(outgoing);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

describe('files in JSON', () => {
  test('write, read, list, stat and delete, under both names of each field', async () => {
    const content = randomBytes(1000);
    const written = await api.post(`${box}/fs`, { path: '/workspace/a/b/file.bin', content_b64: base64(content) });
    expect(written.status).toBe(201);
    expect(written.json).toMatchObject({ path: '/workspace/a/b/file.bin', size: 1000, size_bytes: 1000, mode: '0644' });

    const read = await api.get(`${box}/fs?path=/workspace/a/b/file.bin`);
    expect(read.json).toEqual({
      path: '/workspace/a/b/file.bin',
      content_b64: base64(content),
      size: 1000,
      size_bytes: 1000,
    });

    const { json } = await api.get(`${box}/fs/list?path=/workspace/a`);
    expect(json).toMatchObject({
      path: '/workspace/a',
      entries: [{ name: 'b', path: '/workspace/a/b', type: 'directory', is_dir: true, size: null, size_bytes: null }],
    });
    expect((await api.get(`${box}/fs/list`)).json.path).toBe('/workspace');
    expect((await api.get(`${box}/fs/stat?path=a/b/file.bin`)).json).toMatchObject({
      name: 'file.bin',
      type: 'file',
      is_dir: false,
      size_bytes: 1000,
      mode: '0644',
    });

    expect((await api.delete(`${box}/fs`, { path: '/workspace/a/b/file.bin' })).json).toEqual({
      path: '/workspace/a/b/file.bin',
      deleted: '/workspace/a/b/file.bin',
    });
    expect((await api.get(`${box}/fs?path=/workspace/a/b/file.bin`)).json).toMatchObject({ error: 'file_not_found' });
    expect((await api.get(`${box}/fs?path=/workspace/a`)).json).toMatchObject({ error: 'is_a_directory' });
    expect((await api.delete(`${box}/fs?path=/workspace/a&recursive=true`)).status).toBe(200);
    expect((await api.get(`${box}/fs/stat?path=a`)).status).toBe(404);
  });

  test('a mode, folders, moves and chmod', async () => {
    await api.post(`${box}/fs`, { path: 'run.sh', content_b64: base64('echo hi'), mode: '0755' });
    expect((await api.get(`${box}/fs/stat?path=run.sh`)).json.mode).toBe('0755');
    expect((await api.post(`${box}/fs/mkdir`, { path: 'x/y' })).status).toBe(201);
    expect((await api.post(`${box}/fs/move`, { from: 'run.sh', to: 'x/y/run.sh' })).json.path).toMatch(
      /x\/y\/run\.sh$/,
    );
    expect((await api.post(`${box}/fs/chmod`, { path: 'x/y/run.sh', mode: '600' })).json.mode).toBe('0600');
    await api.delete(`${box}/fs`, { path: 'x', recursive: true });
  });

  test('an empty file', async () => {
    await api.post(`${box}/fs`, { path: 'empty', content_b64: '' });
    expect((await api.get(`${box}/fs?path=empty`)).json).toMatchObject({ content_b64: '', size: 0 });
    const answer = await send('GET', raw('empty'));
    expect(answer.headers['content-length']).toBe('0');
    answer.resume();
  });

  test.each<[string, object, string]>([
    ['fs', { path: 'x' }, 'content_b64'],
    ['fs', { content_b64: '' }, 'path'],
    ['fs', { path: '', content_b64: '' }, 'path'],
    ['fs', { path: 'a\0b', content_b64: '' }, 'path'],
    ['fs', { path: 'x'.repeat(5000), content_b64: '' }, 'path'],
    ['fs', { path: ['x'], content_b64: '' }, 'path'],
    ['fs', { path: 'x', content_b64: 'not base64!' }, 'content_b64'],
    ['fs', { path: 'x', content_b64: 5 }, 'content_b64'],
    ['fs', { path: 'x', content_b64: '', mode: 420 }, 'mode'],
    ['fs', { path: 'x', content_b64: '', mode: '999' }, 'mode'],
    ['fs/mkdir', { path: 'x', parents: 'yes' }, 'parents'],
    ['fs/move', { from: 'x' }, 'to'],
    ['fs/chmod', { path: 'x' }, 'mode'],
  ])('POST %s with %.60j names the field', async (route, body, field) => {
    const { status, json } = await api.post(`${box}/${route}`, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: 'bad_request', field });
  });

  test.each([
    'fs',
    'fs?path=',
    'fs?path=a%00b',
    'fs?path=a&path=b',
    'fs/raw',
    'fs/stat',
    'fs/tar',
    'fs/search',
    'fs?path=x&colour=blue',
  ])('GET %s is refused', async (route) => {
    expect((await api.get(`${box}/${route}`)).json).toMatchObject({ error: 'bad_request' });
  });

  test('a body over the limit is refused before it is read', async () => {
    const answer = await send(
      'POST',
      `${box}/fs`,
      { 'content-type': 'application/json', 'content-length': String(60 * 1024 * 1024) },
      Readable.from(['{"path":']),
    );
    expect(answer.statusCode).toBe(413);
    answer.destroy();
  });

  test('search by name', async () => {
    await api.post(`${box}/fs`, { path: 's/needle.txt', content_b64: base64('x') });
    const { json } = await api.get(`${box}/fs/search?path=s&name=needle.txt`);
    expect(json.matches).toMatchObject([{ path: expect.stringMatching(/needle\.txt$/) }]);
    expect(json.truncated).toBe(false);
    expect((await api.get(`${box}/fs/search?path=s`)).json).toMatchObject({ field: 'name' });
  });

  test('watch tells of a change', async () => {
    await api.post(`${box}/fs/mkdir`, { path: 'w' });
    const controller = new AbortController();
    const changes = api.events(`${box}/fs/watch?path=w`, {}, controller.signal);
    const first = changes.next();
    // A watch that is being set up sees nothing yet: the file is written until it is seen.
    let seen = false;
    const writing = (async () => {
      for (let n = 0; !seen; n++) await api.post(`${box}/fs`, { path: `w/new${n}`, content_b64: '' });
    })();
    const { value } = await first;
    seen = true;
    await writing;
    expect(value).toMatchObject({
      event: expect.stringMatching(/created|changed/),
      data: { path: expect.stringContaining('w/new') },
    });
    controller.abort();
    await changes.next().catch(() => undefined);
  });
});

describe('files as they are', () => {
  test('a large file goes up and comes down as it is, in bounded memory', async () => {
    const size = 256 * 1024 * 1024;
    const block = randomBytes(1024 * 1024);
    const sent = createHash('sha256');
    const body = Readable.from(
      (function* () {
        for (let at = 0; at < size; at += block.length) {
          block.writeUInt32BE(at / block.length);
          sent.update(block);
          yield Buffer.from(block);
        }
      })(),
    );
    const before = process.memoryUsage().arrayBuffers;
    const up = await send('PUT', raw('large', '&mode=0600'), {}, body);
    expect(up.statusCode).toBe(200);
    up.resume();
    const down = await send('GET', raw('large'));
    expect(down.headers['content-length']).toBe(String(size));
    const received = createHash('sha256');
    let most = 0;
    for await (const chunk of down) {
      received.update(chunk as Buffer);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(most).toBeLessThan(128 * 1024 * 1024);
    await api.delete(`${box}/fs`, { path: 'large' });
  });

  test('Range, If-Range, If-None-Match and HEAD', async () => {
    await api.send('PUT', raw('range.txt'), '0123456789');
    const part = await api.get(raw('range.txt'), { range: 'bytes=2-4' });
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10']);
    expect((await api.get(raw('range.txt'), { range: 'bytes=-3' })).text).toBe('789');
    expect((await api.get(raw('range.txt'), { range: 'bytes=8-' })).text).toBe('89');
    const beyond = await api.get(raw('range.txt'), { range: 'bytes=10-' });
    expect([beyond.status, beyond.json.error, beyond.headers.get('content-range')]).toEqual([
      416,
      'range_not_satisfiable',
      'bytes */10',
    ]);
    const etag = part.headers.get('etag') ?? '';
    expect((await api.get(raw('range.txt'), { range: 'bytes=2-4', 'if-range': etag })).status).toBe(206);
    expect((await api.get(raw('range.txt'), { range: 'bytes=2-4', 'if-range': '"old"' })).text).toBe('0123456789');
    expect((await api.get(raw('range.txt'), { 'if-none-match': etag })).status).toBe(304);
    const head = await api.send('HEAD', raw('range.txt'));
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '10']);
    expect((await api.send('HEAD', raw('nothing'))).status).toBe(404);
  });

  test('an answer can do nothing in a browser', async () => {
    const name = 'a"b\';<script>é.html';
    await api.send('PUT', raw(name), '<script>alert(1)</script>');
    const { headers } = await api.get(raw(name));
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe('sandbox');
    const disposition = headers.get('content-disposition') ?? '';
    expect(disposition).toMatch(/^attachment; filename="a_b';<script>_+\.html"; filename\*=UTF-8''/);
    expect(decodeURIComponent(disposition.split("UTF-8''")[1] ?? '')).toBe(name);
  });

  test('an upload that breaks off leaves the old file', async () => {
    await api.send('PUT', raw('whole'), 'old');
    const outgoing = request(server.url + raw('whole'), {
      method: 'PUT',
      headers: { 'x-sandbox-secret': api.key, 'content-length': '1000' },
    });
    outgoing.on('error', () => undefined);
    outgoing.write('half');
    await once(outgoing, 'socket');
    await new Promise((resolve) => outgoing.write('more', resolve));
    outgoing.destroy();
    expect((await api.get(raw('whole'))).text).toBe('old');
    // Nothing half-written is left beside it either.
    await eventually(async () => {
      const { entries } = (await api.get(`${box}/fs/list`)).json;
      expect(entries.filter(({ name }: { name: string }) => name.includes('whole'))).toHaveLength(1);
    });
  });

  test('a tar archive of a folder comes down and goes up elsewhere', async () => {
    await api.send('PUT', raw('tree/sub/one.txt'), 'one');
    await api.send('PUT', raw('tree/two.txt', '&mode=0755'), 'two');
    const response = await fetch(`${server.url}${box}/fs/tar?path=tree`, { headers: { 'x-sandbox-secret': api.key } });
    expect(response.headers.get('content-disposition')).toContain('tree.tar');
    const archive = Buffer.from(await response.arrayBuffer());
    await api.post(`${box}/fs/mkdir`, { path: 'copy' });
    const up = await api.send('PUT', `${box}/fs/tar?path=copy`, archive, { 'content-type': 'application/x-tar' });
    expect(up.status).toBe(200);
    const { result } = await api.run(box, {
      cmd: 'find . -type f | sort && cat $(find . -name one.txt)',
      cwd: '/workspace/copy',
    });
    expect(result.stdout).toMatch(/one\.txt\n.*two\.txt\none$/);
  });

  test('a ticket downloads, and writes nothing', async () => {
    await api.send('PUT', raw('ticket.txt'), 'yes');
    const { ticket } = (await api.post(`${box}/tickets`)).json;
    const answer = await fetch(server.url + raw('ticket.txt', `&ticket=${ticket}`));
    expect(await answer.text()).toBe('yes');
    const put = await fetch(server.url + raw('ticket.txt', `&ticket=${ticket}`), { method: 'PUT', body: 'no' });
    expect(put.status).toBe(401);
  });
});
