import type { Readable } from 'node:stream';
import type { CommandSession, OpenSessionOptions, CommandRequest } from '../../lib/session';
import { openSession } from '../../lib/session';
import { fastClock } from '../support/session/fast-clock';
import { writeFrame } from '../support/session/frames';
import { ApiError, CLUSTER, SessionPeer, TASK } from '../support/session/peer';

const REQUEST: CommandRequest = { kind: 'command', cluster: CLUSTER, task: TASK, container: 'app', command: 'sh' };
/** Makes the seconds for which a session waits short. */
const TIMES = 40;

describe('a command in a task', () => {
  let peer: SessionPeer;
  beforeEach(async () => {
    peer = await SessionPeer.start();
  });
  afterEach(() => peer.stop());

  const open = (more: Partial<OpenSessionOptions<CommandRequest>> = {}): Promise<CommandSession> =>
    openSession({ request: REQUEST, clients: peer.clients, ...more });

  test('is started by ExecuteCommand, and connects with the token it gets', async () => {
    await using session = await open({ clientVersion: '1.2.999.0' });
    await peer.until(() => peer.isConnected);
    expect(session.sessionId).toBe(peer.sessionId);
    const { cluster, task, container, command } = REQUEST;
    expect(peer.calls).toEqual([
      { name: 'ExecuteCommand', input: { cluster, task, container, command, interactive: true } },
    ]);
    expect(peer.openings).toEqual([
      {
        MessageSchemaVersion: '1.0',
        RequestId: expect.stringMatching(/^[\da-f-]{36}$/),
        TokenValue: 'token-1',
        ClientId: expect.stringMatching(/^[\da-f-]{36}$/),
        ClientVersion: '1.2.999.0',
      },
    ]);
  });

  test('signs its WebSocket for ssmmessages where there are credentials', async () => {
    await using _session = await open();
    await peer.until(() => peer.isConnected);
    expect(peer.upgrades[0]).toMatchObject({
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/ssmmessages\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[\da-f]{64}$/,
      ),
      'x-amz-date': expect.stringMatching(/^\d{8}T\d{6}Z$/),
      'x-amz-security-token': 'from-sts',
    });
  });

  test('connects unsigned without credentials, with a session that was granted before', async () => {
    await using _session = await openSession({ request: { kind: 'command', grant: peer.grant() }, clients: {} });
    await peer.until(() => peer.isConnected);
    expect(peer.upgrades[0]).not.toHaveProperty('authorization');
  });

  test('carries bytes both ways, in messages of at most a kilobyte', async () => {
    await using session = await open();
    peer.say('$ ');
    const typed = Buffer.alloc(300_000, 'typed text ');
    session.input.write(typed);
    await peer.until(() => peer.input().length >= typed.length);
    expect(peer.input()).toEqual(typed);
    expect(Math.max(...peer.received.map(({ payload }) => payload.length))).toBe(1024);
    const shown = Buffer.alloc(300_000, 'shown text ');
    peer.say(shown);
    await peer.agent.drained();
    peer.endSession('');
    expect(await everything(session.output)).toEqual(Buffer.concat([Buffer.from('$ '), shown]));
    await expect(session.ended).resolves.toEqual({ reason: '', by: 'service' });
    expect(peer.callsTo('TerminateSession')).toEqual([]);
  });

  test('tells the size of the terminal, first and when it changes', async () => {
    await using session = await open({ request: { ...REQUEST, size: { columns: 80, rows: 24 } } });
    peer.say('$ ');
    const sizes = [await peer.next()];
    session.resize({ columns: 100, rows: 50 });
    sizes.push(await peer.next());
    expect(sizes.map(({ payloadType, payload }) => [payloadType, payload.toString()])).toEqual([
      [3, '{"cols":80,"rows":24}'],
      [3, '{"cols":100,"rows":50}'],
    ]);
  });

  test('that prints nothing gets its input all the same', async () => {
    await using session = await open({ clock: fastClock(TIMES) });
    session.input.write('a line\n');
    await peer.until(() => peer.input().includes('\n'));
    expect(peer.input().toString()).toBe('a line\n');
    peer.say('a line\n');
    await expect(first(session.output)).resolves.toBe('a line\n');
  });

  test('says why it could not be started, in the agent’s words', async () => {
    await using session = await open();
    await peer.until(() => peer.isConnected);
    const reason = '\n----------ERROR-------\nUnable to start command: no such file or directory\n';
    peer.endSession(reason);
    await expect(session.ended).resolves.toEqual({ reason, by: 'service' });
    expect(await everything(session.output)).toHaveLength(0);
  });

  test('is undisturbed by notices and payloads that it does not know, and acknowledges the latter', async () => {
    await using session = await open();
    await peer.until(() => peer.isConnected);
    peer.notice('start_publication');
    peer.notice('pause_publication');
    peer.raw(Buffer.from('no message'));
    peer.raw(writeFrame({ type: 'of_tomorrow', sequence: 0, payloadType: 0, payload: Buffer.from('{}') }));
    peer.say('unknown', 99);
    peer.say('known');
    await peer.agent.drained();
    await expect(first(session.output)).resolves.toBe('known');
  });

  test('acknowledges a repeated message again, and shows it once', async () => {
    await using session = await open();
    await peer.until(() => peer.isConnected);
    peer.say('once');
    await peer.agent.drained();
    peer.repeat();
    await peer.until(() => peer.agent.acknowledgements.length === 2);
    peer.endSession('');
    expect((await everything(session.output)).toString()).toBe('once');
    expect(peer.agent.acknowledgements).toEqual([0, 0]);
  });

  test('continues where it was when its connection breaks, with a new token', async () => {
    await using session = await open({ clock: fastClock(TIMES) });
    const output = everything(session.output);
    peer.say('$ ');
    const typed = Buffer.alloc(200_000, 'typed text ');
    const shown = Buffer.alloc(200_000, 'shown text ');
    session.input.write(typed);
    peer.say(shown);
    for (const share of [0.2, 0.6]) {
      await peer.until(() => peer.isConnected && peer.input().length > share * typed.length);
      peer.cut();
    }
    await peer.until(() => peer.input().length >= typed.length);
    await peer.agent.drained();
    peer.endSession('');
    expect(peer.input()).toEqual(typed);
    expect(await output).toEqual(Buffer.concat([Buffer.from('$ '), shown]));
    expect(peer.callsTo('ResumeSession')).toEqual([{ SessionId: peer.sessionId }, { SessionId: peer.sessionId }]);
    expect(peer.openings.map(({ TokenValue }) => TokenValue)).toEqual(['token-1', 'token-2', 'token-3']);
  });

  test('gets a new token when its first is refused', async () => {
    peer.refusedTokens.add('token-1');
    await using _session = await open({ clock: fastClock(TIMES) });
    await peer.until(() => peer.isConnected);
    expect(peer.openings.map(({ TokenValue }) => TokenValue)).toEqual(['token-1', 'token-2']);
  });

  test('makes a new connection when the old one no longer answers', async () => {
    const dead = await SessionPeer.start({ answersPings: false });
    try {
      await using session = await openSession({ request: REQUEST, clients: dead.clients, clock: fastClock(1_000) });
      await dead.until(() => dead.openings.length >= 2);
      dead.say('still there');
      await expect(first(session.output)).resolves.toBe('still there');
    } finally {
      await dead.stop();
    }
  });

  test('fails when the agent takes nothing for five minutes', async () => {
    peer.isReady = false;
    await using session = await open({ clock: fastClock(300) });
    peer.say('$ ');
    session.input.write('typed');
    await expect(session.ended).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/stopped answering/),
      details: { sessionId: peer.sessionId },
    });
    await peer.until(() => peer.callsTo('TerminateSession').length === 1);
  });

  test('fails with `denied` when five new tokens are refused too', async () => {
    for (let token = 1; token <= 6; token++) peer.refusedTokens.add(`token-${token}`);
    await using session = await open({ clock: fastClock(TIMES) });
    await expect(session.ended).rejects.toMatchObject({ code: 'denied', details: { closeCode: 1008 } });
    expect(peer.openings).toHaveLength(6);
  });

  test('fails with `not-found` when there is nothing to resume', async () => {
    peer.answers.set('ResumeSession', () => ({ SessionId: peer.sessionId, TokenValue: null }));
    await using session = await open({ clock: fastClock(TIMES) });
    await peer.until(() => peer.isConnected);
    peer.cut();
    await expect(session.ended).rejects.toMatchObject({ code: 'not-found' });
    await expect(everything(session.output)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('fails with `denied` at once where the caller may not resume', async () => {
    peer.answers.set('ResumeSession', () => {
      throw new ApiError('AccessDeniedException', 'not authorized to perform: ssm:ResumeSession');
    });
    await using session = await open({ clock: fastClock(TIMES) });
    await peer.until(() => peer.isConnected);
    peer.cut();
    await expect(session.ended).rejects.toMatchObject({ code: 'denied' });
    expect(peer.callsTo('ResumeSession')).toHaveLength(1);
  });

  test('fails with what AWS says when it is not granted', async () => {
    peer.answers.set('ExecuteCommand', () => {
      throw new ApiError('InvalidParameterException', 'execute command was not enabled when the task was run');
    });
    await expect(open()).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/was not enabled/) });
  });

  test('is terminated by `close`, after what was typed', async () => {
    const session = await open();
    peer.say('$ ');
    session.input.write('exit\n');
    await first(session.output);
    await session.close();
    expect(peer.input().toString()).toBe('exit\n');
    expect(peer.callsTo('TerminateSession')).toEqual([{ SessionId: peer.sessionId }]);
    await expect(session.ended).resolves.toEqual({ reason: '', by: 'caller' });
    await session.close();
    await peer.until(() => !peer.isConnected);
    expect(peer.callsTo('TerminateSession')).toHaveLength(1);
  });

  test('is terminated when its signal fires', async () => {
    const stop = new AbortController();
    const session = await open({ signal: stop.signal });
    peer.say('$ ');
    await first(session.output);
    stop.abort();
    await expect(session.ended).rejects.toMatchObject({ code: 'aborted' });
    await peer.until(() => peer.callsTo('TerminateSession').length === 1 && !peer.isConnected);
    expect(session.output.destroyed && session.input.destroyed).toBe(true);
  });

  test('is terminated when its signal fires while it is granted', async () => {
    const stop = new AbortController();
    peer.answers.set('ExecuteCommand', () => {
      setImmediate(() => stop.abort());
      const { sessionId, streamUrl, tokenValue } = peer.grant();
      return { session: { sessionId, streamUrl, tokenValue } };
    });
    await expect(open({ signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('holds little while nobody reads its output, and loses nothing', async () => {
    await using session = await open();
    await peer.until(() => peer.isConnected);
    const shown = Buffer.alloc(20 * 1024 * 1024, 'much text ');
    peer.say(shown);
    // More than fits while nobody reads: acknowledgements stop.
    await peer.until(() => peer.agent.acknowledgements.length > 3 * 1024);
    expect(session.output.readableLength).toBeLessThan(6 * 1024 * 1024);
    const output = everything(session.output);
    await peer.agent.drained();
    peer.endSession('');
    expect((await output).equals(shown)).toBe(true);
  });
});

async function everything(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const first = (stream: Readable): Promise<string> =>
  new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())));
