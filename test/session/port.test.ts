import type { Duplex, Readable } from 'node:stream';
import type { OpenSessionOptions, PortRequest, PortSession } from '../../lib/session';
import { openSession } from '../../lib/session';
import { fastClock } from '../support/session/fast-clock';
import type { MuxHandler } from '../support/session/mux-server';
import { MuxServer } from '../support/session/mux-server';
import { SessionPeer, TARGET } from '../support/session/peer';

const REQUEST: PortRequest = { kind: 'port', target: TARGET, port: 80 };
const ECHO: MuxHandler = {
  data: (stream, bytes, server) => server.send(stream, bytes),
  ended: (stream, server) => server.finish(stream),
};

describe('a port session', () => {
  let peer: SessionPeer;
  let mux: MuxServer;
  beforeEach(async () => {
    peer = await SessionPeer.start();
  });
  afterEach(() => peer.stop());

  const open = async (
    handler: MuxHandler,
    more: Partial<OpenSessionOptions<PortRequest>> = {},
    agentVersion?: string,
  ): Promise<PortSession> => {
    const opening = openSession({ request: REQUEST, clients: peer.clients, ...more });
    mux = new MuxServer(peer, handler);
    await peer.portHandshake('LocalPortForwarding', agentVersion);
    return opening;
  };

  test.each([
    [REQUEST, 'AWS-StartPortForwardingSession', { portNumber: ['80'], localPortNumber: ['0'] }],
    [
      { ...REQUEST, port: 5432, host: 'db.internal' },
      'AWS-StartPortForwardingSessionToRemoteHost',
      { portNumber: ['5432'], localPortNumber: ['0'], host: ['db.internal'] },
    ],
  ])('%j is started with %s', async (request, DocumentName, Parameters) => {
    await using _session = await open(ECHO, { request });
    expect(peer.callsTo('StartSession')).toEqual([{ Target: TARGET, DocumentName, Parameters }]);
  });

  test('carries a hundred connections at once, each its own bytes', async () => {
    await using session = await open(ECHO);
    const talks = Array.from({ length: 100 }, async (_, index) => {
      const stream = await session.connect();
      const bytes = Buffer.alloc(20_000 + index, `connection ${index} `);
      stream.end(bytes);
      expect((await everything(stream)).equals(bytes)).toBe(true);
    });
    await Promise.all(talks);
  });

  test('numbers its streams as AWS’s client does', async () => {
    const opened: number[] = [];
    await using session = await open({ opened: (stream) => void opened.push(stream) });
    await session.connect();
    await session.connect();
    await peer.until(() => opened.length === 2);
    expect(opened).toEqual([3, 5]);
  });

  test('still reads after it has ended its side', async () => {
    await using session = await open({
      ended: (stream, server) => {
        server.send(stream, Buffer.from('answer after the end'));
        server.finish(stream);
      },
    });
    const stream = await session.connect();
    stream.end('question');
    expect((await everything(stream)).toString()).toBe('answer after the end');
  });

  test('still writes after the other side has ended', async () => {
    const got: Buffer[] = [];
    await using session = await open({
      opened: (stream, server) => server.finish(stream),
      data: (_stream, bytes) => void got.push(bytes),
    });
    const stream = await session.connect();
    await everything(stream);
    stream.end('more');
    await peer.until(() => Buffer.concat(got).length === 4);
    expect(Buffer.concat(got).toString()).toBe('more');
  });

  test('breaks the one connection that the port refuses', async () => {
    let refuse = true;
    await using session = await open({
      ...ECHO,
      opened: (stream, server) => {
        if (!refuse) return;
        peer.say(Buffer.from([0, 0, 0, 3]), 10);
        server.finish(stream);
      },
    });
    const refused = await session.connect();
    await expect(errorOf(refused)).resolves.toMatchObject({ code: 'unreachable' });
    refuse = false;
    const stream = await session.connect();
    stream.end('works');
    expect((await everything(stream)).toString()).toBe('works');
  });

  test('stops one connection with its signal', async () => {
    let ended = 0;
    await using session = await open({ ended: () => void ended++ });
    const stop = new AbortController();
    const stream = await session.connect(stop.signal);
    stop.abort();
    await expect(errorOf(stream)).resolves.toMatchObject({ code: 'aborted' });
    await peer.until(() => ended === 1);
    await expect(session.connect(stop.signal)).rejects.toMatchObject({ code: 'aborted' });
  });

  test('cuts open connections when it ends, and makes no new ones', async () => {
    const session = await open(ECHO);
    const stream = await session.connect();
    const broken = errorOf(stream);
    peer.endSession('');
    await expect(broken).resolves.toMatchObject({ code: 'unreachable' });
    await expect(session.connect()).rejects.toMatchObject({ code: 'unreachable' });
  });

  test.each([
    ['1.2.707.0', '3.3.987.0', false],
    ['1.2.0.0', '3.3.987.0', true],
    ['1.2.331.0', '3.3.987.0', true],
    ['1.2.707.0', '3.1.1511.0', true],
  ])('keeps connections alive itself where the agent may demand it: client %s, agent %s: %s', async (...version) => {
    const [clientVersion, agentVersion, keepsAlive] = version;
    await using session = await open(ECHO, { clientVersion, clock: fastClock(1_000) }, agentVersion);
    const stream = await session.connect();
    const echoed = new Promise((resolve) => stream.once('data', resolve));
    if (keepsAlive) await peer.until(() => mux.pings > 2);
    stream.write('x');
    await echoed;
    expect(mux.pings > 0).toBe(keepsAlive);
  });

  test('is refused where the agent does not multiplex', async () => {
    const opening = openSession({ request: REQUEST, clients: peer.clients });
    opening.catch(() => undefined);
    await peer.portHandshake(undefined);
    await expect(opening).rejects.toMatchObject({ code: 'failed', message: expect.stringMatching(/multiplex/) });
  });

  test('is refused for a client version that gets no multiplexing', async () => {
    const opening = openSession({ request: REQUEST, clients: peer.clients, clientVersion: '0.0.1' });
    await expect(opening).rejects.toMatchObject({ code: 'usage' });
    expect(peer.calls).toEqual([]);
  });
});

async function everything(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Unlike `for await`, this leaves the other direction open.
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
  return Buffer.concat(chunks);
}

const errorOf = (stream: Duplex): Promise<unknown> => new Promise((resolve) => stream.once('error', resolve));
