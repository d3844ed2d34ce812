import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';
import { Terminal } from '../../support/sandbox/terminal';

let server: TestServer;
let api: ApiClient;
let box: string;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`pty-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
});
afterAll(() => server.close());

function open(query: string, headers: Record<string, string> = { 'x-sandbox-secret': api.key }): Terminal {
  return new Terminal(new WebSocket(`${server.url.replace('http', 'ws')}${box}/pty?${query}`, { headers }));
}

async function refusal(query: string, headers: Record<string, string>): Promise<unknown> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${box}/pty?${query}`, { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const part of response) text += String(part);
  return { status: response.statusCode, error: JSON.parse(text).error };
}

test('a shell on a terminal of the size that was asked for, which can be changed', async () => {
  const terminal = open('cols=100&rows=30');
  const started = await terminal.frame('started');
  expect(started).toMatchObject({ seq: expect.any(Number), offset: 0 });
  terminal.socket.send(Buffer.from('stty size; tty; echo $TERM\r'));
  await terminal.text('30 100');
  await terminal.text('/dev/pts/');
  await terminal.text('xterm-256color');
  terminal.socket.send(JSON.stringify({ type: 'resize', cols: 120, rows: 40 }));
  terminal.socket.send(Buffer.from('until stty size | grep "40 120"; do sleep 0.05; done\r'));
  await terminal.text(/[\r\n]40 120/);
  terminal.socket.send(Buffer.from('exit 3\r'));
  expect(await terminal.frame('exit')).toMatchObject({ exit_code: 3, seq: started.seq });
  const event = (await api.get(`${box}/events/${started.seq}`)).json;
  expect(event).toMatchObject({ status: 'error', payload: { cmd: 'login shell', terminal: { cols: 100, rows: 30 } } });
});

test('terminals and streams stay open for longer than a body may take', async () => {
  const terminal = open(`command=${encodeURIComponent('sleep 32; echo still here')}`);
  const { seq } = await terminal.frame('started');
  const stream = api.get(`${box}/events/${String(seq)}/stream`);
  expect(await terminal.frame('exit')).toMatchObject({ exit_code: 0 });
  expect(terminal.output.toString()).toBe('still here\r\n');
  expect((await stream).text).toMatch(/event: exit/);
});

test('a command, and a folder', async () => {
  const terminal = open(`command=${encodeURIComponent('pwd; test -t 0 && echo is-a-tty')}&cwd=/tmp`);
  await terminal.frame('exit');
  expect(terminal.output.toString()).toBe('/tmp\r\nis-a-tty\r\n');
});

test('a client that drops comes back with seq and offset, and misses nothing', async () => {
  const first = open(`command=${encodeURIComponent('read a; echo got $a; read b; echo end $b')}`);
  const { seq } = await first.frame('started');
  first.socket.send(Buffer.from('one\r'));
  await first.text('got one\r\n');
  first.socket.terminate();
  const offset = first.output.indexOf('got one');
  const second = open(`seq=${seq}&offset=${offset}`);
  await second.text('got one\r\n');
  expect(second.output.indexOf('got one')).toBe(0);
  second.socket.send(Buffer.from('two\r'));
  await second.frame('exit');
  expect(second.output.toString()).toContain('end two\r\n');
  const third = open(`seq=${seq}`);
  await third.frame('exit');
  expect(third.output.subarray(offset)).toEqual(second.output);
});

test('a ticket opens it in a browser, whose Origin is the service’s own', async () => {
  const { ticket } = (await api.post(`${box}/tickets`)).json;
  const terminal = open(`ticket=${ticket}&command=true`, { origin: server.url });
  expect(await terminal.frame('exit')).toMatchObject({ exit_code: 0 });
});

test('foreign pages, strangers, bad queries and plain requests are refused', async () => {
  const key = { 'x-sandbox-secret': api.key };
  expect(await refusal('', {})).toEqual({ status: 401, error: 'unauthorized' });
  expect(await refusal('ticket=x', {})).toEqual({ status: 401, error: 'unauthorized' });
  for (const origin of ['https://evil.example', 'null', `${server.url}.evil.example`, 'file://']) {
    expect(await refusal('', { ...key, origin })).toEqual({ status: 403, error: 'forbidden' });
  }
  const { ticket } = (await api.post(`${box}/tickets`)).json;
  expect(await refusal(`ticket=${ticket}`, { origin: 'https://evil.example' })).toEqual({
    status: 403,
    error: 'forbidden',
  });
  expect(await refusal('cols=0', key)).toEqual({ status: 400, error: 'bad_request' });
  expect(await refusal('seq=1&command=ls', key)).toEqual({ status: 400, error: 'bad_request' });
  expect(await refusal('seq=99999', key)).toEqual({ status: 404, error: 'event_not_found' });
  const { seq } = await api.run(box, { cmd: 'true' });
  expect(await refusal(`seq=${seq}`, key)).toEqual({ status: 409, error: 'conflict' });
  expect((await api.get(`${box}/pty`)).json).toMatchObject({ error: 'upgrade_required' });
});

test('a frame that is wrong is answered, and changes nothing', async () => {
  const terminal = open(`command=${encodeURIComponent('read a; echo got $a')}`);
  await terminal.frame('started');
  terminal.socket.send('not JSON');
  expect(await terminal.frame('error')).toMatchObject({ error: 'bad_request' });
  terminal.socket.send(JSON.stringify({ type: 'resize', cols: '80', rows: 24 }));
  await terminal.until(() => terminal.frames.filter(({ type }) => type === 'error').length === 2);
  terminal.socket.send(Buffer.from('on\r'));
  await terminal.frame('exit');
  expect(terminal.output.toString()).toContain('got on');
});
