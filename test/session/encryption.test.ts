import { randomBytes } from 'node:crypto';
import type { CommandSession } from '../../lib/session';
import { openSession } from '../../lib/session';
import { ApiError, CLUSTER, SessionPeer, TARGET, TASK } from '../support/session/peer';

const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';
const ACTIONS = [
  { ActionType: 'KMSEncryption', ActionParameters: { KMSKeyId: KEY, Challenge: 'c29tZXRoaW5n' } },
  { ActionType: 'SessionType', ActionParameters: { SessionType: 'Standard_Stream', Properties: null } },
];

describe('a session encrypted with a KMS key', () => {
  let peer: SessionPeer;
  let session: CommandSession;
  beforeEach(async () => {
    peer = await SessionPeer.start();
    const request = { kind: 'command', cluster: CLUSTER, task: TASK, command: 'sh' } as const;
    session = await openSession({ request, clients: peer.clients });
  });
  afterEach(async () => {
    await session.close();
    await peer.stop();
  });

  test('proves that it has the key, and encrypts what is typed and shown', async () => {
    session.input.write('typed');
    const answer = await peer.handshake(ACTIONS);
    expect(answer).toMatchObject({
      ClientVersion: '1.2.707.0',
      ProcessedClientActions: [
        {
          ActionType: 'KMSEncryption',
          ActionStatus: 1,
          ActionResult: {
            KMSCipherTextKey: Buffer.from('sealed').toString('base64'),
            KMSCipherTextHash: 'ydADa+1nRLzfaS/JgNhxfX5fWk9Ogma0qEmCYC+xzQk=',
          },
          Error: '',
        },
        { ActionType: 'SessionType', ActionStatus: 1, ActionResult: null, Error: '' },
      ],
      Errors: null,
    });
    expect(peer.callsTo('GenerateDataKey')).toEqual([
      {
        KeyId: KEY,
        NumberOfBytes: 64,
        EncryptionContext: { 'aws:ssm:SessionId': peer.sessionId, 'aws:ssm:TargetId': TARGET },
      },
    ]);
    const secret = randomBytes(64);
    peer.say(JSON.stringify({ Challenge: peer.encrypt(secret).toString('base64') }), 8);
    const response = await peer.next();
    const { Challenge: challenge } = JSON.parse(response.payload.toString()) as { Challenge: string };
    expect(response.payloadType).toBe(9);
    expect(peer.decrypt(Buffer.from(challenge, 'base64'))).toEqual(secret);
    peer.completeHandshake('This session is encrypted using AWS KMS.');
    const typed = await peer.next();
    expect(peer.decrypt(typed.payload).toString()).toBe('typed');
    session.resize({ columns: 80, rows: 24 });
    const size = await peer.next();
    expect([size.payloadType, size.payload.toString()]).toEqual([3, '{"cols":80,"rows":24}']);
    peer.agent.write(1, peer.encrypt(Buffer.from('shown')));
    const shown = await new Promise<Buffer>((resolve) => session.output.once('data', resolve));
    expect(shown.toString()).toBe('shown');
  });

  test('fails where KMS refuses the key, and tells the agent', async () => {
    peer.answers.set('GenerateDataKey', () => {
      throw new ApiError('AccessDeniedException', 'not authorized to perform: kms:GenerateDataKey');
    });
    void peer.handshake(ACTIONS);
    await expect(session.ended).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining(KEY) });
    await peer.until(() => peer.received.length > 0 && peer.callsTo('TerminateSession').length > 0);
    const { ProcessedClientActions: actions } = JSON.parse(String(peer.received[0]?.payload)) as {
      ProcessedClientActions: { ActionStatus: number }[];
    };
    expect(actions.map(({ ActionStatus }) => ActionStatus)).toEqual([2, 1]);
  });

  test('fails when the agent has another key', async () => {
    await peer.handshake(ACTIONS);
    peer.say(JSON.stringify({ Challenge: randomBytes(92).toString('base64') }), 8);
    await expect(session.ended).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(/a key other than/),
    });
  });

  test('fails when something arrives unencrypted', async () => {
    await peer.handshake(ACTIONS);
    peer.completeHandshake();
    peer.say('in the clear');
    await expect(session.ended).rejects.toMatchObject({ message: expect.stringMatching(/not encrypted/) });
  });

  test('says so to an agent that asks for what it cannot do', async () => {
    const answer = await peer.handshake([{ ActionType: 'Quantum', ActionParameters: {} }]);
    expect(answer).toMatchObject({ ProcessedClientActions: [{ ActionType: 'Quantum', ActionStatus: 3 }] });
    await expect(session.ended).rejects.toMatchObject({ message: expect.stringContaining('Quantum') });
  });
});
