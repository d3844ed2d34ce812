import { randomUUID } from 'node:crypto';
import { bytesOf } from '../../support/sandbox/api-client';
import type { ApiClient, ServerSentEvent } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

let server: TestServer;
let api: ApiClient;
let box: string;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`exec-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
});
afterAll(() => server.close());

/** All messages of a stream, up to its end. */
async function collect(path: string, headers?: Record<string, string>): Promise<ServerSentEvent[]> {
  const found: ServerSentEvent[] = [];
  for await (const event of api.events(path, headers)) found.push(event);
  return found;
}

describe('commands', () => {
  test('a command is taken on at once, and its event has the result', async () => {
    const taken = await api.post(`${box}/exec`, { cmd: 'echo out; echo err >&2; exit 3' });
    expect(taken.status).toBe(202);
    expect(taken.json).toMatchObject({ seq: 1, status: expect.stringMatching(/pending|running/), kind: 'exec_submit' });
    expect(taken.headers.get('location')).toBe(`${box}/events/1`);
    const event = await api.ended(box, taken);
    expect(event).toMatchObject({
      id: expect.any(Number),
      seq: 1,
      status: 'error',
      payload: { cmd: 'echo out; echo err >&2; exit 3', timeout_seconds: 300 },
      result: { stdout: 'out\n', stderr: 'err\n', exit_code: 3, signal: null, timed_out: false, dropped_bytes: 0 },
    });
    expect(event.result).not.toHaveProperty('stdout_b64');
    expect(event.completed_at).toBeGreaterThanOrEqual(event.submitted_at);
  });

  test('sync waits for the end', async () => {
    const { status, json } = await api.post(`${box}/exec`, { cmd: 'sleep 0.1; echo done', sync: true });
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'done', result: { stdout: 'done\n', exit_code: 0 } });
  });

  test('sync ends after 30 s with 408, and the command goes on', async () => {
    const { status, json } = await api.post(`${box}/exec`, { cmd: 'sleep 33; echo late', shell: 'slow', sync: true });
    expect(status).toBe(408);
    expect(json).toMatchObject({ error: 'sync_timeout', seq: expect.any(Number), status: 'running' });
    const running = await api.get(`${box}/events/${json.seq}`);
    expect(running.status).toBe(202);
    expect((await api.get(`${box}/events/${json.seq}?wait=30`)).json).toMatchObject({ result: { stdout: 'late\n' } });
  });

  test('bytes that are no text come beside it', async () => {
    const { result } = await api.run(box, { cmd: String.raw`printf 'a\377\000b'; printf 'ok' >&2` });
    expect(Buffer.from(result.stdout_b64, 'base64')).toEqual(Buffer.from([0x61, 0xff, 0, 0x62]));
    expect(result.stderr).toBe('ok');
    expect(result).not.toHaveProperty('stderr_b64');
  });

  test('argv has no shell', async () => {
    const { result } = await api.run(box, { argv: ['echo', '$HOME; ls'] });
    expect(result.stdout).toBe('$HOME; ls\n');
  });

  test('variables reach the command and no event', async () => {
    const event = await api.run(box, { cmd: 'test -n "$TOKEN" && echo set', env: { TOKEN: 'hunter2' } });
    expect(event.result.stdout).toBe('set\n');
    expect((await api.get(`${box}/history?limit=1000`)).text).not.toContain('hunter2');
  });

  test.each<[object, string]>([
    [{}, 'cmd'],
    [{ cmd: '' }, 'cmd'],
    [{ cmd: 5 }, 'cmd'],
    [{ cmd: ['ls'] }, 'cmd'],
    [{ cmd: 'a\0b' }, 'cmd'],
    [{ cmd: 'true', argv: ['true'] }, 'cmd'],
    [{ argv: [] }, 'argv'],
    [{ argv: ['a', 5] }, 'argv.1'],
    [{ argv: ['a\0'] }, 'argv.0'],
    [{ cmd: 'true', timeout_seconds: '5' }, 'timeout_seconds'],
    [{ cmd: 'true', timeout_seconds: 0 }, 'timeout_seconds'],
    [{ cmd: 'true', env: { A: 5 } }, 'env.A'],
    [{ cmd: 'true', env: { 'A=B': 'x' } }, 'env.A=B'],
    [{ cmd: 'true', env: [] }, 'env'],
    [{ cmd: 'true', sync: 'true' }, 'sync'],
    [{ cmd: 'true', cwd: 5 }, 'cwd'],
    [{ cmd: 'true', shell: '../x' }, 'shell'],
    [{ cmd: 'true', stdin: 'yes' }, 'stdin'],
    [{ cmd: 'true', user: 'root' }, 'argv'],
    [{ argv: ['true'], terminal: { cols: 80 } }, 'terminal.rows'],
    [{ cmd: 'true', unknown: 1 }, 'unknown'],
  ])('%j names the field that is wrong', async (body, field) => {
    const { status, json } = await api.post(`${box}/exec`, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: 'bad_request', field });
  });

  test('an Idempotency-Key runs a command once', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { cmd: 'echo once' };
    const [first, second] = [
      await api.post(`${box}/exec`, body, headers),
      await api.post(`${box}/exec`, body, headers),
    ];
    expect(second.json.seq).toBe(first.json.seq);
  });

  test('history goes on after a seq, and says whether there is more', async () => {
    const sandbox = await api.sandbox();
    for (const word of ['one', 'two', 'three']) await api.run(sandbox, { cmd: `echo ${word}` });
    const first = (await api.get(`${sandbox}/history?limit=2`)).json;
    expect(first.events.map(({ seq }: { seq: number }) => seq)).toEqual([1, 2]);
    expect(first.has_more).toBe(true);
    const rest = (await api.get(`${sandbox}/history?limit=2&after_seq=2`)).json;
    expect(rest.events).toMatchObject([{ seq: 3, result: { stdout: 'three\n' } }]);
    expect(rest.has_more).toBe(false);
    await api.delete(sandbox);
    expect((await api.get(`${sandbox}/history`)).json.events).toHaveLength(3);
    expect((await api.get(`${sandbox}/events/3`)).json.result.stdout).toBe('three\n');
  });

  test.each([
    'events/0',
    'events/x',
    'events/1?wait=-1',
    'events/1?wait=1000',
    'history?limit=0',
    'history?after_seq=x',
  ])('%s is refused', async (path) => {
    expect((await api.get(`${box}/${path}`)).status).toBe(400);
  });

  test('an event that is not there', async () => {
    expect((await api.get(`${box}/events/99999`)).json).toMatchObject({ error: 'event_not_found' });
    expect((await api.get(`${box}/events/99999/stream`)).json).toMatchObject({ error: 'event_not_found' });
  });
});

describe('stdin and signals', () => {
  test('stdin takes any bytes in several calls, and is closed by the last', async () => {
    const { json } = await api.post(`${box}/exec`, { argv: ['cat'], stdin: 'open' });
    const path = `${box}/events/${json.seq}`;
    expect((await api.send('POST', `${path}/stdin`, 'one ')).json).toMatchObject({ seq: json.seq });
    await api.send('POST', `${path}/stdin?close=true`, Buffer.from([0x74, 0xff, 0]), { 'content-type': 'image/png' });
    const event = (await api.get(`${path}?wait=30`)).json;
    expect(Buffer.from(event.result.stdout_b64, 'base64')).toEqual(Buffer.from('one t\xff\0', 'latin1'));
    expect((await api.send('POST', `${path}/stdin`, 'x')).json).toMatchObject({ error: 'event_ended' });
  });

  test('without stdin in the request, input reaches a command that waits for it, and ends where none is sent', async () => {
    const [sent, unsent] = [
      await api.post(`${box}/exec`, { cmd: 'cat; echo end', shell: 'sent' }),
      await api.post(`${box}/exec`, { cmd: 'cat; echo end', shell: 'unsent' }),
    ];
    const closed = await api.post(`${box}/exec`, { argv: ['sleep', '60'], stdin: 'open' });
    await api.send('POST', `${box}/events/${sent.json.seq}/stdin`, 'first ');
    expect((await api.ended(box, unsent)).result.stdout).toBe('end\n');
    await api.send('POST', `${box}/events/${closed.json.seq}/stdin?close=true`, 'all');
    expect((await api.send('POST', `${box}/events/${closed.json.seq}/stdin`, 'more')).json).toMatchObject({
      error: 'bad_request',
      detail: "the command's input is at its end: nothing more can be sent",
    });
    await api.send('POST', `${box}/events/${sent.json.seq}/stdin?close=true`, 'last\n');
    expect((await api.ended(box, sent)).result.stdout).toBe('first last\nend\n');
  });

  test('a signal ends a command', async () => {
    const { json } = await api.post(`${box}/exec`, { argv: ['sleep', '300'] });
    const path = `${box}/events/${json.seq}`;
    expect((await api.post(`${path}/signal`, { signal: 'TERM' })).status).toBe(200);
    expect((await api.get(`${path}?wait=30`)).json.result).toMatchObject({ signal: 'TERM', timed_out: false });
    expect((await api.post(`${path}/signal`, { signal: 'TERM' })).json).toMatchObject({ error: 'event_ended' });
  });

  test('a signal that comes while a command starts ends it, and its process', async () => {
    const ends = Array.from({ length: 40 }, async (_, index) => {
      const { json } = await api.post(`${box}/exec`, { argv: ['sleep', `4${index}.77`] });
      const path = `${box}/events/${json.seq}`;
      expect((await api.post(`${path}/signal`, { signal: 'KILL' })).status).toBe(200);
      return (await api.get(`${path}?wait=30`)).json.result.signal;
    });
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['KILL']));
    const { result } = await api.run(box, {
      cmd: 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c "sleep 4[0-9]*[.]77"',
    });
    expect(result.stdout).toBe('0\n');
  });

  test.each([{}, { signal: 'SIGNOPE' }, { signal: 15 }, { signal: 'term' }])('%j is no signal', async (body) => {
    expect((await api.post(`${box}/events/1/signal`, body)).json).toMatchObject({ field: 'signal' });
  });
});

describe('streams', () => {
  test('output comes as it is written, then exactly one exit', async () => {
    const { json } = await api.post(`${box}/exec`, { argv: ['cat'], stdin: 'open' });
    const path = `${box}/events/${json.seq}`;
    const stream = api.events(`${path}/stream`);
    await api.send('POST', `${path}/stdin`, 'first');
    const first = (await stream.next()).value as ServerSentEvent;
    expect(first).toEqual({ id: '5', event: 'stdout', data: { text: 'first' } });
    await api.send('POST', `${path}/stdin?close=true`, 'second');
    const rest = [];
    for await (const event of stream) rest.push(event);
    expect(rest.map(({ event }) => event)).toEqual(['stdout', 'exit']);
    expect(rest[1]).toMatchObject({ id: '11', data: { exit_code: 0, signal: null, status: 'done' } });
  });

  test('a reader that drops goes on from its last id, from any place', async () => {
    const { seq } = await api.run(box, { cmd: 'for i in $(seq 1 40); do echo "line $i €"; done; echo end >&2' });
    const all = await collect(`${box}/events/${seq}/stream`);
    const bytes = Buffer.concat(all.map(bytesOf));
    for (const from of [0, 1, 7, 100, bytes.length]) {
      const rest = await collect(`${box}/events/${seq}/stream`, { 'last-event-id': String(from) });
      expect(Buffer.concat(rest.map(bytesOf))).toEqual(bytes.subarray(from));
      expect(rest.filter(({ event }) => event === 'exit')).toHaveLength(1);
    }
    const half = all[Math.floor(all.length / 2)]?.id ?? '0';
    expect((await collect(`${box}/events/${seq}/stream?from=${half}`)).at(-1)?.event).toBe('exit');
  });

  test('a bad Last-Event-ID is refused', async () => {
    expect((await api.get(`${box}/events/1/stream`, { 'last-event-id': 'x' })).json).toMatchObject({
      field: 'Last-Event-ID',
    });
  });

  test('a character that is cut between two writes stays text', async () => {
    const { json } = await api.post(`${box}/exec`, { cmd: String.raw`printf '\342\202'; sleep 0.02; printf '\254'` });
    const events = await collect(`${box}/events/${json.seq}/stream`);
    expect(events.filter(({ event }) => event === 'stdout').map(({ data }) => data)).toEqual([{ text: '€' }]);
  });

  test('bytes that are no text come as base64', async () => {
    const { seq } = await api.run(box, { cmd: String.raw`printf '\377\376'` });
    expect((await collect(`${box}/events/${seq}/stream`))[0]).toEqual({
      id: '2',
      event: 'stdout',
      data: { b64: '//4=' },
    });
  });

  test('a command that can’t be started ends its stream with an error', async () => {
    const { json } = await api.post(`${box}/exec`, { argv: ['/no/such/program'] });
    const events = await collect(`${box}/events/${json.seq}/stream`);
    expect(events.at(-1)?.event).toMatch(/^(error|exit)$/);
    expect(events.filter(({ event }) => event === 'error' || event === 'exit')).toHaveLength(1);
  });

  test('lines of JSON, for who asks for them', async () => {
    const { seq } = await api.run(box, { cmd: 'echo hi' });
    const { text, headers } = await api.get(`${box}/events/${seq}/stream`, { accept: 'application/x-ndjson' });
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { type: 'stdout', next: 3, text: 'hi\n' },
      { type: 'exit', next: 3, exit_code: 0 },
    ]);
  });

  test('a ticket opens the stream of its own sandbox alone', async () => {
    const { seq } = await api.run(box, { cmd: 'echo hi' });
    const { json } = await api.post(`${box}/tickets`);
    expect(json.expires_at).toBeGreaterThan(Date.now());
    const nobody = (path: string) => fetch(`${server.url}${path}`).then(({ status }) => status);
    expect(await nobody(`${box}/events/${seq}/stream?ticket=${json.ticket}`)).toBe(200);
    expect(await nobody(`${box}/events/${seq}?ticket=${json.ticket}`)).toBe(401);
    const other = await api.sandbox();
    expect(await nobody(`${other}/events/${seq}/stream?ticket=${json.ticket}`)).toBe(401);
    expect(await nobody(`${box}/events/${seq}/stream?ticket=${json.ticket.slice(0, -2)}`)).toBe(401);
  });
});
