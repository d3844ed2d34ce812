import { randomUUID } from 'node:crypto';
import type { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

let server: TestServer;
let api: ApiClient;
let box: string;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`messages-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
});
afterAll(() => server.close());

const SIGNALS = '"HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "PIPE", "TERM", "CONT", "STOP", "TSTP", "WINCH"';

test.each([
  ['exec', {}, 'cmd is missing: give cmd or argv', 'cmd'],
  ['exec', { cmd: 'a', argv: ['a'] }, 'cmd cannot be given together with argv: give one of them', 'cmd'],
  ['exec', { cmd: '' }, 'cmd is empty: it must have at least 1 character', 'cmd'],
  ['exec', { argv: [] }, 'argv is empty: it must have at least 1 element', 'argv'],
  ['exec', { cmd: 'a', user: 'root' }, 'argv is missing: user and terminal go with argv alone', 'argv'],
  [
    'exec',
    { argv: ['a'], shell: 'b' },
    'shell goes with cmd alone: leave it out, or give cmd instead of argv',
    'shell',
  ],
  ['exec', { cmd: 'a', timeout_seconds: 0 }, 'timeout_seconds is 0: it must be at least 1', 'timeout_seconds'],
  ['exec', { cmd: 'a', stdin: 'x' }, 'stdin must be "none" or "open"', 'stdin'],
  ['events/1/signal', { signal: 'NOPE' }, `signal must be one of ${SIGNALS}`, 'signal'],
  ['events/1/signal', { signal: 9 }, `signal must be one of ${SIGNALS}`, 'signal'],
])('%s %j: %s', async (route, body, detail, field) => {
  const { status, json } = await api.post(`${box}/${route}`, body);
  expect(status).toBe(400);
  expect(json).toMatchObject({ error: 'bad_request', detail, field, suggestion: 'correct the field that is named' });
});

test('names a field in its suggestion only where the error names one', async () => {
  const answer = await fetch(`${server.url}${box}/exec`, {
    method: 'POST',
    headers: { 'x-sandbox-secret': api.key, 'content-type': 'application/json' },
    body: '{"cmd":',
  });
  expect(await answer.json()).toMatchObject({
    detail: 'the body is not valid JSON',
    suggestion: 'see GET /openapi.json for what this route takes',
  });
});

test('says how large a body may be', async () => {
  const { status, json } = await api.post(`${box}/exec`, { cmd: 'x'.repeat(2_000_000) });
  expect(status).toBe(413);
  expect(json).toMatchObject({
    error: 'too_large',
    detail: 'the body is larger than 1048576 bytes, the limit of this route',
  });
});

test('takes names of signals with SIG and without', async () => {
  for (const signal of ['TERM', 'SIGTERM']) {
    const { json } = await api.post(`${box}/exec`, { argv: ['sleep', '1000'] });
    const event = `${box}/events/${(json as { seq: number }).seq}`;
    expect((await api.post(`${event}/signal`, { signal })).status).toBe(200);
    expect((await api.get(`${event}?wait=30`)).json).toMatchObject({ result: { signal: 'TERM' } });
  }
});

test('says nothing of its own network about a port on which nothing listens', async () => {
  const { status, json } = await api.get(`${box}/ports/9/`);
  expect(status).toBe(502);
  expect(json).toMatchObject({ detail: 'port 9 of the sandbox does not accept connections' });
});

test('says that a folder has to be empty, and how to delete it all the same', async () => {
  await api.post(`${box}/fs`, { path: '/workspace/full/file', content_b64: '' });
  const refused = await api.delete(`${box}/fs?path=/workspace/full`);
  expect(refused.status).toBe(409);
  expect(refused.json).toMatchObject({
    error: 'directory_not_empty',
    detail: '"/workspace/full" is a folder that is not empty',
    suggestion: 'empty the folder first, or delete it with "recursive": true',
  });
  expect((await api.delete(`${box}/fs?path=/workspace/full&recursive=true`)).status).toBe(200);
});
