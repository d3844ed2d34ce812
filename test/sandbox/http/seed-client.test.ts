import { randomUUID } from 'node:crypto';
import type { ApiAnswer, ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

/**
 * The calls of the Python client of ecs-sandbox, as it makes them, against the base path that it is given: all defaults are
 * sent, any status below 400 is taken, and answers are read with the fields and types of its models.
 */
let server: TestServer;
let api: ApiClient;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`seed-${randomUUID().slice(0, 8)}`);
});
afterAll(() => server.close());

/** What `raise_for_status()` lets through, as JSON. */
function taken({ status, text, json }: ApiAnswer) {
  if (status >= 400) throw new Error(`${status}: ${text}`);
  return json;
}

const INT = expect.any(Number);
const STRING = expect.any(String);

const EVENT = {
  id: INT,
  session_id: STRING,
  seq: INT,
  kind: STRING,
  status: STRING,
  payload: expect.any(Object),
  submitted_at: INT,
};

/** The client polls once a second; here the wait is the server's. */
async function waitForEvent(id: string, seq: number) {
  for (;;) {
    const event = taken(await api.get(`/v0/sandbox/${id}/events/${seq}?wait=20`));
    if (event.status === 'done' || event.status === 'error') return event;
  }
}

test('all of its calls work below /v0, in the shapes that it reads', async () => {
  const id = randomUUID();
  const session = taken(await api.post('/v0/sandbox', { id, ttl_seconds: 1800, metadata: { a: 'b' } }));
  expect(session).toMatchObject({ id, status: 'active', created_at: INT, last_active_at: INT, expires_at: INT });
  expect(session).toMatchObject({ container_id: null, container_ip: null, metadata: { a: 'b' } });

  const body = { cmd: 'echo hi; exit 3', cwd: '/workspace', timeout_seconds: 300, env: { A: 'b' }, sync: false };
  const submitted = taken(await api.post(`/v0/sandbox/${id}/exec`, body));
  expect(submitted).toMatchObject({ seq: 1, status: STRING });
  const running = await api.get(`/v0/sandbox/${id}/events/1`);
  expect(running.status).toBe(200);

  const event = await waitForEvent(id, 1);
  expect(event).toMatchObject({ ...EVENT, completed_at: INT });
  expect(event.result).toMatchObject({ stdout: 'hi\n', stderr: '', exit_code: 3, duration_ms: INT });

  const history = taken(await api.get(`/v0/sandbox/${id}/history?limit=50&after_seq=0`));
  expect(Array.isArray(history)).toBe(true);
  expect(history).toMatchObject([EVENT]);

  const content_b64 = Buffer.from('content').toString('base64');
  const written = await api.post(`/v0/sandbox/${id}/fs`, { path: '/workspace/f.txt', content_b64 });
  expect(written.status).toBe(200);
  expect(written.json).toMatchObject({ path: '/workspace/f.txt', size: 7 });
  const read = taken(await api.get(`/v0/sandbox/${id}/fs?path=%2Fworkspace%2Ff.txt`));
  expect(read).toMatchObject({ path: '/workspace/f.txt', content_b64, size: 7 });
  const listed = taken(await api.get(`/v0/sandbox/${id}/fs/list?path=%2Fworkspace`));
  expect(listed.entries).toContainEqual(
    expect.objectContaining({ name: 'f.txt', path: '/workspace/f.txt', is_dir: false, size: 7 }),
  );

  expect(taken(await api.delete(`/v0/sandbox/${id}`))).toEqual({ status: 'destroyed' });
  expect(taken(await api.delete(`/v0/sandbox/${id}`))).toEqual({ status: 'destroyed' });
});

test('the same sandbox is seen from both base paths', async () => {
  const id = randomUUID();
  await api.post('/v0/sandbox', { id });
  expect((await api.get(`/sandbox/${id}`)).json).toMatchObject({ id, status: 'active' });
  expect((await api.get(`/sandbox/${id}`)).json).not.toHaveProperty('container_id');
  expect((await api.delete(`/sandbox/${id}`)).json).toMatchObject({ id, status: 'destroyed' });
});
