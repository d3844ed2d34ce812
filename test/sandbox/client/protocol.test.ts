import type { ScriptedAnswer } from '../../support/sandbox/scripted-service';
import { cut, events, json, ScriptedService } from '../../support/sandbox/scripted-service';
import * as client from '../../../lib/sandbox/client';
import { SANDBOX_ERRORS } from '../../../lib/sandbox/model/errors';

const { Sandbox, SandboxClient, SandboxApiError, UnreachableError } = client;

const session = (id: string): object => ({ id, status: 'active', ready: true, created_at: 1, metadata: { a_b: 1 } });
const event = (seq: number, result: object | null = null): object => ({ id: 1, session_id: 'box', seq, result });
const exit = (next: number, code = 0): string =>
  `id: ${next}\nevent: exit\ndata: ${JSON.stringify({ seq: 1, exit_code: code, reason: 'exit', timed_out: false })}\n\n`;
const output = (next: number, text: string, stream = 'stdout'): string =>
  `id: ${next}\nevent: ${stream}\ndata: ${JSON.stringify({ text })}\n\n`;

let service: ScriptedService | undefined;
const serve = async (...answers: ScriptedAnswer[]): Promise<client.SandboxClient> => {
  service = await ScriptedService.start(...answers);
  return new SandboxClient({ url: service.url, key: 'k-1' });
};
const seen = (): string[] => (service?.seen ?? []).map(({ line }) => line);
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function read(command: client.Command): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of command.output) chunks.push(`${chunk.stream}:${chunk.text}`);
  return chunks;
}

describe('streams', () => {
  test('one that is cut, or ends in good order without the end of the command, goes on where it stopped', async () => {
    const box = await (
      await serve(
        json(200, session('box')),
        json(202, event(1)),
        events(output(3, 'abc'), 'cut'),
        events(`${output(6, 'def')}id: 9\nevent: stdout\ndata: {"te`, 'end'),
        events(output(9, 'ghi') + exit(9), 'end'),
      )
    ).connect('box');
    await expect(read(box.exec('make'))).resolves.toEqual(['stdout:abc', 'stdout:def', 'stdout:ghi']);
    expect(service?.seen.slice(2).map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '3', '6']);
  });

  test('bytes that are no text, dropped ones, and both streams', async () => {
    const box = await (
      await serve(
        json(200, session('box')),
        json(202, event(1)),
        events(
          `id: 2\nevent: stderr\ndata: {"b64":"/wA="}\n\nid: 50\nevent: gap\ndata: {"offset":2,"length":48}\n\n${exit(50, 3)}`,
          'end',
        ),
      )
    ).connect('box');
    const chunks = [];
    for await (const chunk of box.exec(['x']).output) chunks.push(chunk);
    expect(chunks).toMatchObject([
      { stream: 'stderr', bytes: new Uint8Array([255, 0]), next: 2 },
      { stream: 'gap', dropped: 48, next: 50 },
    ]);
  });

  test.each(['lost', 'refused'] as const)('a command that was %s is an error, not an end', async (reason) => {
    const end = `id: 0\nevent: error\ndata: ${JSON.stringify({ error: reason, reason, detail: 'no such program' })}\n\n`;
    const box = await (await serve(json(200, session('box')), json(202, event(1)), events(end, 'end'))).connect('box');
    await expect(read(box.exec('x'))).rejects.toMatchObject({
      name: 'CommandError',
      reason,
      message: 'no such program',
    });
  });

  test('what is wrong with the request is not tried again', async () => {
    const box = await (
      await serve(json(200, session('box')), json(202, event(1)), json(404, { error: 'event_not_found', detail: 'no' }))
    ).connect('box');
    await expect(read(box.exec('x'))).rejects.toBeInstanceOf(client.EventNotFoundError);
    expect(seen()).toHaveLength(3);
  });

  test('a service that stays away ends the wait', async () => {
    service = await ScriptedService.start(json(200, session('box')), json(202, event(1)), cut);
    const box = await Sandbox.connect('box', { url: service.url, key: 'k', retries: 0, resumeMs: 0 });
    await expect(read(box.exec('x'))).rejects.toBeInstanceOf(UnreachableError);
  });

  test('an abort ends the wait with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const box = await (
      await serve(json(200, session('box')), json(202, event(1)), (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(output(1, 'a'));
        response.once('close', () => undefined);
      })
    ).connect('box');
    const command = box.exec('x', { signal: controller.signal });
    const reading = (async () => {
      for await (const _chunk of command.output) controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
  });
});

describe('repetition', () => {
  const busy = (seconds: number) =>
    json(503, { error: 'max_containers', detail: 'full' }, { 'retry-after': String(seconds) });

  test('a create that gets no answer is the same create again', async () => {
    const box = await (await serve(cut, busy(0), json(201, session('new')))).create({ ttlSeconds: 60 });
    expect(box.id).toBe('new');
    const keys = service?.seen.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size).toBe(1);
    expect(keys?.[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(service?.seen.map(({ body }) => body)).toEqual(Array(3).fill('{"ttl_seconds":60}'));
  });

  test('a Retry-After longer than 20 s is the caller’s to wait for', async () => {
    const creating = (await serve(busy(21))).create();
    await expect(creating).rejects.toMatchObject({ code: 'max_containers', retryAfterSeconds: 21, status: 503 });
    await expect(creating).rejects.toBeInstanceOf(client.MaxContainersError);
    expect(seen()).toHaveLength(1);
  });

  test('input is never sent twice', async () => {
    const box = await (await serve(json(200, session('box')), json(202, event(1)), cut)).connect('box');
    await expect(box.exec('cat', { stdin: 'open' }).write('once')).rejects.toBeInstanceOf(UnreachableError);
    expect(seen().slice(2)).toEqual(['POST /sandbox/box/events/1/stdin']);
  });

  test('a proxy without a service behind it', async () => {
    const bad = (response: Parameters<typeof cut>[0]): void =>
      void response.writeHead(502).end('<html>bad gateway</html>');
    const box = await (await serve(bad, json(200, session('box')))).connect('box');
    expect(box.info.metadata).toEqual({ a_b: 1 });
  });

  test('an error that names its field', async () => {
    const body = {
      error: 'bad_request',
      detail: 'must be at least 5',
      field: 'ttl_seconds',
      suggestion: 's',
      request_id: 'r',
    };
    const creating = (await serve(json(400, body))).create({ ttlSeconds: 1 });
    await expect(creating).rejects.toMatchObject({
      ...{ code: 'bad_request', message: 'must be at least 5', field: 'ttl_seconds', suggestion: 's', requestId: 'r' },
    });
  });

  test('a code of a newer service is an error all the same', async () => {
    const connecting = (await serve(json(418, { error: 'teapot', detail: 'short and stout' }))).connect('box');
    await expect(connecting).rejects.toBeInstanceOf(SandboxApiError);
    await expect(connecting).rejects.toMatchObject({ code: 'teapot', status: 418 });
  });

  test('a redirect is not followed with the key', async () => {
    const elsewhere = await ScriptedService.start(json(200, session('box')));
    try {
      const moved = (response: Parameters<typeof cut>[0]): void =>
        void response.writeHead(302, { location: `${elsewhere.url}/sandbox/box` }).end();
      service = await ScriptedService.start(moved);
      const connecting = Sandbox.connect('box', { url: service.url, key: 'k', retries: 0 });
      await expect(connecting).rejects.toBeInstanceOf(UnreachableError);
      expect(elsewhere.seen).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });
});

test('a download that is cut goes on behind its last byte, and only in the same file', async () => {
  const part =
    (status: number, text: string, headers: Record<string, string>) => (response: Parameters<typeof cut>[0]) => {
      response.writeHead(status, { etag: '"v1"', ...headers });
      response.write(text, () => setImmediate(() => response.destroy()));
    };
  const whole = (response: Parameters<typeof cut>[0]): void =>
    void response.writeHead(206, { etag: '"v1"', 'content-length': '3' }).end('def');
  const box = await (
    await serve(json(200, session('box')), part(200, 'abc', { 'content-length': '6' }), whole)
  ).connect('box');
  await expect(box.files.readText('f')).resolves.toBe('abcdef');
  expect(service?.seen[2]?.headers).toMatchObject({ range: 'bytes=3-', 'if-range': '"v1"' });
});

test('pages are read as they are needed', async () => {
  const page = (id: string, cursor: string | null) =>
    json(200, { sessions: [session(id)], has_more: cursor !== null, next_cursor: cursor });
  const ids = [];
  for await (const box of (await serve(page('a', 'c1'), page('b', null))).list({ metadata: { team: 'x y' } }))
    ids.push(box.id);
  expect(ids).toEqual(['a', 'b']);
  expect(seen()[1]).toBe('GET /sandbox?metadata%5Bteam%5D=x+y&limit=100&cursor=c1');
});

test.each([
  [{}],
  [{ url: 'http://x' }],
  [{ url: 'ftp://x', key: 'k' }],
  [{ url: 'http://u:p@x', key: 'k' }],
  [{ url: 'http://x', key: 'a b' }],
])('settings that are missing or wrong: %j', (options) => {
  const { MNGR_SANDBOX_URL: url, SANDBOX_SECRET: key } = process.env;
  delete process.env.MNGR_SANDBOX_URL;
  delete process.env.SANDBOX_SECRET;
  try {
    expect(() => new SandboxClient(options)).toThrow(client.UsageError);
  } finally {
    if (url !== undefined) process.env.MNGR_SANDBOX_URL = url;
    if (key !== undefined) process.env.SANDBOX_SECRET = key;
  }
});

test.each(['', '.', '..'])('%j is no id, and leads nowhere', async (id) => {
  await expect(Sandbox.connect(id, { url: 'http://127.0.0.1:1', key: 'k' })).rejects.toThrow(client.UsageError);
});

test('every code of the service has a class of its own', () => {
  const codes = Object.keys(SANDBOX_ERRORS);
  expect(client.ERROR_CODES).toEqual(expect.arrayContaining(codes));
  for (const code of codes) expect(client.apiError(code, 'x', { status: 400 }).constructor).not.toBe(SandboxApiError);
});
