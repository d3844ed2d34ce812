import { randomUUID } from 'node:crypto';
import { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

let server: TestServer;
let api: ApiClient;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`sessions-${randomUUID().slice(0, 8)}`);
});
afterAll(() => server.close());

describe('keys', () => {
  test('a call without a key, or with a wrong one, is refused and says how to send it', async () => {
    for (const key of ['', 'wrong', 'x'.repeat(5000)]) {
      const { status, json, headers } = await new ApiClient(server.url, key).get('/sandbox');
      expect(status).toBe(401);
      expect(json).toMatchObject({ error: 'unauthorized', detail: expect.any(String), suggestion: expect.any(String) });
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('a key may come as a bearer token', async () => {
    const response = await fetch(`${server.url}/sandbox`, { headers: { authorization: `Bearer ${api.key}` } });
    expect(response.status).toBe(200);
  });

  test('health and the OpenAPI document need no key', async () => {
    const nobody = new ApiClient(server.url, '');
    expect((await nobody.get('/health')).json).toEqual({ status: 'ok' });
    expect((await nobody.get('/openapi.json')).json.openapi).toBe('3.1.0');
    expect((await nobody.get('/v0/health')).json).toEqual({ status: 'ok' });
  });

  test('only admins make, list and revoke keys; a revoked one is refused', async () => {
    for (const [method, path, body] of [
      ['GET', '/keys'],
      ['POST', '/keys', { name: 'mine', admin: true }],
      ['DELETE', '/keys/mine'],
    ] as const) {
      expect((await api.send(method, path, body)).json).toMatchObject({ error: 'forbidden' });
    }
    const name = `short-${randomUUID().slice(0, 8)}`;
    const made = await server.admin.post('/keys', { name, rate: 100 });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ name, admin: false, rate: 100, key: expect.any(String) });
    const short = new ApiClient(server.url, made.json.key);
    expect((await short.get('/sandbox')).status).toBe(200);
    const listed = (await server.admin.get('/keys')).json.keys.find((key: { name: string }) => key.name === name);
    expect(listed).not.toHaveProperty('key');
    expect((await server.admin.delete(`/keys/${name}`)).status).toBe(200);
    expect((await short.get('/sandbox')).status).toBe(401);
    expect((await server.admin.delete('/keys/nobody')).json).toMatchObject({ error: 'key_not_found' });
  });
});

describe('sessions', () => {
  test('create, get, change, list by metadata, destroy, and use the id again', async () => {
    const id = `life-${randomUUID()}`;
    const created = await api.post('/sandbox', { id, ttl_seconds: 600, metadata: { team: 'blue', n: 1 } });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/sandbox/${id}`);
    expect(created.json).toMatchObject({ id, status: 'active', ttl_seconds: 600, metadata: { team: 'blue', n: 1 } });
    for (const time of ['created_at', 'last_active_at', 'expires_at']) {
      expect(created.json[time]).toBeGreaterThan(1_700_000_000_000);
    }
    expect((await api.get(`/sandbox/${id}`)).json).toMatchObject({ id, status: 'active' });

    const again = await api.post('/sandbox', { id });
    expect(again.status).toBe(409);
    expect(again.json).toMatchObject({ error: 'session_exists', detail: expect.stringContaining(id) });

    const changed = await api.patch(`/sandbox/${id}`, { ttl_seconds: 900, metadata: { team: 'red' } });
    expect(changed.json).toMatchObject({ ttl_seconds: 900, metadata: { team: 'red', n: 1 } });

    const busy = await api.patch(`/sandbox/${id}`, { busy_seconds: 3600 });
    expect(busy.json.busy_until).toBe(busy.json.expires_at);
    expect(busy.json.busy_until - busy.json.last_active_at).toBe(3_600_000);
    expect((await api.patch(`/sandbox/${id}`, { busy_seconds: 0 })).json).toMatchObject({ busy_until: null });

    for (const query of [
      'metadata[team]=red',
      'metadata=team=red',
      'metadata.team=red',
      'metadata%5Bteam%5D=red&limit=5',
    ]) {
      const { json } = await api.get(`/sandbox?${query}`);
      expect(json.sessions.map((session: { id: string }) => session.id)).toEqual([id]);
      expect(json).toMatchObject({ has_more: false, next_cursor: null });
    }
    expect((await api.get('/sandbox?metadata[team]=blue')).json.sessions).toEqual([]);

    const destroyed = await api.delete(`/sandbox/${id}`);
    expect(destroyed.status).toBe(200);
    expect(destroyed.json).toMatchObject({ id, status: 'destroyed' });
    expect((await api.delete(`/sandbox/${id}`)).json).toMatchObject({ error: 'session_not_found' });
    expect((await api.post(`/sandbox/${id}/exec`, { cmd: 'true' })).status).toBe(404);
    expect((await api.post('/sandbox', { id })).status).toBe(201);
    await api.delete(`/sandbox/${id}`);
  });

  test('a body may be left out', async () => {
    const { status, json } = await api.post('/sandbox');
    expect(status).toBe(201);
    expect(json.id).toMatch(/^[0-9a-f-]{36}$/);
    await api.delete(`/sandbox/${json.id}`);
  });

  test.each<[object, string]>([
    [{ id: 7 }, 'id'],
    [{ id: '' }, 'id'],
    [{ id: 'a/b' }, 'id'],
    [{ id: '..' }, 'id'],
    [{ id: 'a\nb' }, 'id'],
    [{ id: 'x'.repeat(129) }, 'id'],
    [{ ttl_seconds: '60' }, 'ttl_seconds'],
    [{ ttl_seconds: 4 }, 'ttl_seconds'],
    [{ ttl_seconds: 60.5 }, 'ttl_seconds'],
    [{ ttl_seconds: null }, 'ttl_seconds'],
    [{ metadata: [] }, 'metadata'],
    [{ metadata: 'x' }, 'metadata'],
    [{ metadata: { x: 'y'.repeat(20_000) } }, 'metadata'],
    [{ wait: 'yes' }, 'wait'],
    [{ image: 5 }, 'image'],
    [{ colour: 'blue' }, 'colour'],
  ])('a create with %.60j names the field that is wrong', async (body, field) => {
    const { status, json } = await api.post('/sandbox', body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: 'bad_request', field, suggestion: expect.any(String) });
    expect(json.detail).toMatch(new RegExp(`^${field} [a-z]`));
  });

  test.each(['limit=0', 'limit=x', 'limit=1001', 'colour=blue', 'status=gone', 'metadata=x', 'cursor='])(
    'a list with %s is refused',
    async (query) => {
      const { status, json } = await api.get(`/sandbox?${query}`);
      expect(status).toBe(400);
      expect(json.field).toMatch(new RegExp(`^${query.split('=')[0]}`));
    },
  );

  test('deep metadata is refused, and costs nothing', async () => {
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    const { status, json } = await api.post('/sandbox', `{"metadata":${deep}}`, { 'content-type': 'application/json' });
    expect(status).toBe(400);
    expect(json).toMatchObject({ field: 'metadata' });
  });

  test('an Idempotency-Key gives the same answer again', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await api.post('/sandbox', { metadata: { a: 1 } }, headers);
    const second = await api.post('/sandbox', { metadata: { a: 1 } }, headers);
    expect(second.json.id).toBe(first.json.id);
    expect((await api.post('/sandbox', {}, { 'idempotency-key': 'has space' })).json).toMatchObject({
      field: 'Idempotency-Key',
    });
    await api.delete(`/sandbox/${first.json.id}`);
  });

  test('another tenant neither sees nor lists nor blocks an id', async () => {
    const other = await server.admin.newKey(`other-${randomUUID().slice(0, 8)}`);
    const id = `shared-${randomUUID()}`;
    await api.sandbox({ id });
    for (const [method, path, body] of [
      ['GET', ''],
      ['PATCH', '', { ttl_seconds: 60 }],
      ['DELETE', ''],
      ['GET', '/diagnostics'],
      ['GET', '/cost'],
      ['GET', '/history'],
      ['GET', '/events/1'],
      ['GET', '/events/1/stream'],
      ['POST', '/events/1/stdin'],
      ['POST', '/events/1/signal', { signal: 'KILL' }],
      ['POST', '/exec', { cmd: 'true' }],
      ['GET', '/fs?path=/etc/passwd'],
      ['GET', '/fs/raw?path=/etc/passwd'],
      ['PUT', '/fs/raw?path=/tmp/x'],
      ['GET', '/fs/list'],
      ['POST', '/git/status', {}],
      ['POST', '/tickets'],
      ['POST', '/ports/80/link', {}],
      ['GET', '/ports/80/'],
    ] as const) {
      const { status, json } = await other.send(method, `/sandbox/${id}${path}`, body);
      expect({ path, status, error: json?.error }).toEqual({ path, status: 404, error: 'session_not_found' });
    }
    expect((await other.get('/sandbox')).json.sessions).toEqual([]);
    expect((await other.post('/sandbox', { id })).status).toBe(201);
    expect((await api.get(`/sandbox/${id}`)).json.status).toBe('active');
    await other.delete(`/sandbox/${id}`);
    await api.delete(`/sandbox/${id}`);
  });

  test('the audit trail says what was done, without contents', async () => {
    const sandbox = await api.sandbox({ metadata: { password: 'hunter2' } });
    await api.run(sandbox, { cmd: 'echo hunter3', env: { TOKEN: 'hunter4' } });
    await api.delete(sandbox);
    const { json, text } = await api.get('/audit?limit=3');
    expect(json.entries.map((entry: { action: string; status: number }) => [entry.action, entry.status])).toEqual([
      ['destroySandbox', 200],
      ['exec', 202],
      ['createSandbox', 201],
    ]);
    expect(text).not.toMatch(/hunter/);
  });
});

describe('errors', () => {
  test('an unknown route, a wrong method and a broken path are answered alike', async () => {
    for (const [method, path, status] of [
      ['GET', '/nothing', 404],
      ['PUT', '/sandbox', 404],
      ['GET', '/sandbox/%zz', 400],
    ] as const) {
      const answer = await api.send(method, path);
      expect(answer.status).toBe(status);
      expect(answer.json).toMatchObject({ error: expect.any(String), detail: expect.any(String) });
    }
  });

  test.each([
    ['{"a":', 400, 'bad_request'],
    ['[1]', 400, 'bad_request'],
    ['"x"', 400, 'bad_request'],
    ['{"__proto__":{"admin":true}}', 400, 'bad_request'],
    [`{"cmd":"${'x'.repeat(1_100_000)}"}`, 413, 'too_large'],
  ])('a body that starts with %.20j', async (body, status, error) => {
    const sandbox = await api.sandbox();
    const answer = await api.post(`${sandbox}/exec`, body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error });
    await api.delete(sandbox);
  });

  test('a body that is not JSON by its type says which it must be', async () => {
    const { status, json } = await api.post('/sandbox', 'id=x', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(status).toBe(415);
    expect(json).toMatchObject({
      error: 'unsupported_media_type',
      suggestion: expect.stringContaining('application/json'),
    });
  });

  test('every answer has a request id: the client’s, where it is harmless', async () => {
    expect((await api.get('/sandbox', { 'x-request-id': 'my-1' })).headers.get('x-request-id')).toBe('my-1');
    const odd = (await api.get('/nothing', { 'x-request-id': 'a b"<script>' })).headers.get('x-request-id');
    expect(odd).toMatch(/^[0-9a-f-]{36}$/);
  });
});
