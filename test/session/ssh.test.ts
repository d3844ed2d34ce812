import { openSession } from '../../lib/session';
import type { SshSession } from '../../lib/session';
import { SessionPeer, TARGET } from '../support/session/peer';

describe('a session for SSH', () => {
  let peer: SessionPeer;
  beforeEach(async () => {
    peer = await SessionPeer.start();
  });
  afterEach(() => peer.stop());

  const open = async (): Promise<SshSession> => {
    const opening = openSession({ request: { kind: 'ssh', target: TARGET, port: 2222 }, clients: peer.clients });
    await peer.portHandshake(undefined);
    return opening;
  };

  test('is started with AWS-StartSSHSession', async () => {
    await using _session = await open();
    expect(peer.callsTo('StartSession')).toEqual([
      { Target: TARGET, DocumentName: 'AWS-StartSSHSession', Parameters: { portNumber: ['2222'] } },
    ]);
  });

  test('changes no byte, not even a single line feed', async () => {
    await using session = await open();
    session.stream.write('\n');
    expect((await peer.next()).payload).toEqual(Buffer.from('\n'));
    const all = Buffer.from(Array.from({ length: 5_000 }, (_, index) => index & 0xff));
    session.stream.write(all);
    await peer.until(() => peer.input().length > all.length);
    expect(peer.input().subarray(1)).toEqual(all);
    peer.say(all);
    const chunks: Buffer[] = [];
    session.stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await peer.agent.drained();
    expect(Buffer.concat(chunks)).toEqual(all);
  });

  test('ends when the server there does', async () => {
    const session = await open();
    peer.say('bye');
    await peer.agent.drained();
    peer.endSession('');
    const chunks: Buffer[] = [];
    for await (const chunk of session.stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('bye');
    await expect(session.ended).resolves.toEqual({ reason: '', by: 'service' });
  });

  test('is terminated at both ends when its stream is ended, after all that was written', async () => {
    const session = await open();
    session.stream.end('last words');
    await expect(session.ended).resolves.toEqual({ reason: '', by: 'caller' });
    expect(peer.received.map(({ payloadType, payload }) => [payloadType, payload.toString('latin1')])).toEqual([
      [6, expect.anything()],
      [1, 'last words'],
      [10, '\0\0\0\x02'],
    ]);
    expect(peer.callsTo('TerminateSession')).toHaveLength(1);
  });

  test('that ends with a reason breaks its stream with it', async () => {
    const session = await open();
    peer.endSession('Your session timed out due to inactivity and has been terminated.');
    const broken = new Promise((resolve) => session.stream.once('error', resolve));
    await expect(broken).resolves.toMatchObject({ code: 'unreachable', message: expect.stringMatching(/inactivity/) });
  });

  test('cannot be opened where nothing listens, and leaves nothing behind', async () => {
    const opening = openSession({ request: { kind: 'ssh', target: TARGET }, clients: peer.clients });
    await peer.until(() => peer.isConnected);
    peer.endSession('Unable to connect to specified port');
    await expect(opening).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/Unable to connect to specified port/),
      details: { sessionId: peer.sessionId },
    });
  });

  test('of another type than expected is refused', async () => {
    const opening = openSession({ request: { kind: 'ssh', target: TARGET }, clients: peer.clients });
    opening.catch(() => undefined);
    const answer = await peer.handshake([
      { ActionType: 'SessionType', ActionParameters: { SessionType: 'Standard_Stream', Properties: null } },
    ]);
    expect(answer).toMatchObject({ ProcessedClientActions: [{ ActionStatus: 3 }] });
    await expect(opening).rejects.toMatchObject({ code: 'failed', message: expect.stringMatching(/Standard_Stream/) });
    expect(peer.callsTo('TerminateSession').length).toBeGreaterThan(0);
  });
});
