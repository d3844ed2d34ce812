import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, DescribeKeyCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { Task } from '@aws-sdk/client-ecs';
import {
  CHANNEL_POLICY,
  execAssembly,
  ExecEndpoint,
  processTasks,
  targetOf,
} from '../../../support/endpoint/exec-endpoint';
import type { DataChannelClient } from '../../../support/endpoint/data-channel-client';
import { SMALL_ASSEMBLY } from '../../../support/endpoint/local-endpoint-template';
import { describeWith } from '../../../support/run/requirements';
import type { TemplateResource } from '../../../../lib/local/template/stack';

jest.setTimeout(30_000);

const CONTEXT = { 'aws:ssm:SessionId': 'session', 'aws:ssm:TargetId': 'target' };
const att = (name: string, attribute: string): object => ({ 'Fn::GetAtt': [name, attribute] });
const resource = (name: string): TemplateResource => SMALL_ASSEMBLY.template.Resources[name] as TemplateResource;

/** The stack with a key for sessions; `taskMay` is what the task's role may do with it. */
function encryptedAssembly(taskMay: string) {
  const statement = { Effect: 'Allow', Action: taskMay, Resource: att('Key', 'Arn') };
  const policy = { PolicyName: 'key', PolicyDocument: { Statement: [statement] } };
  const cluster = resource('Cluster');
  const role = resource('TaskRole');
  return execAssembly({
    Key: { Type: 'AWS::KMS::Key', Properties: { Description: 'sessions' } },
    Alias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: 'alias/sessions', TargetKeyId: { Ref: 'Key' } } },
    Cluster: {
      ...cluster,
      Properties: {
        ...cluster.Properties,
        Configuration: { ExecuteCommandConfiguration: { KmsKeyId: att('Key', 'Arn'), Logging: 'NONE' } },
      },
    },
    TaskRole: { ...role, Properties: { ...role.Properties, Policies: [CHANNEL_POLICY, policy] } },
  });
}

const seal = (key: Buffer, text: Buffer): Buffer => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
};

const open = (key: Buffer, sealed: Buffer): Buffer => {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
};

/** Does the client's part of the handshake and gives the data key, or the text that the session ended with. */
async function agree(
  kms: KMSClient,
  channel: DataChannelClient,
  context: Record<string, string>,
): Promise<Buffer | string> {
  let dataKey: Buffer | undefined;
  let complete: string | undefined;
  const respond = async (payload: Buffer): Promise<void> => {
    const { RequestedClientActions: actions } = JSON.parse(payload.toString()) as {
      readonly RequestedClientActions: readonly { ActionType: string; ActionParameters: { KMSKeyId?: string } }[];
    };
    const keyId = actions[1]?.ActionParameters.KMSKeyId;
    const { Plaintext = [], CiphertextBlob = [] } = await kms.send(
      new GenerateDataKeyCommand({ KeyId: keyId, NumberOfBytes: 64, EncryptionContext: context }),
    );
    dataKey = Buffer.from(Plaintext);
    const results = [null, { KMSCipherTextKey: Buffer.from(CiphertextBlob).toString('base64'), KMSCipherTextHash: '' }];
    const processed = actions.map(({ ActionType }, index) => ({
      ActionType,
      ActionStatus: 1,
      ActionResult: results[index],
      Error: '',
    }));
    channel.send(6, JSON.stringify({ ClientVersion: '1.2.650.0', ProcessedClientActions: processed, Errors: null }));
  };
  channel.onMessage = ({ payloadType, payload }) => {
    if (payloadType === 5) void respond(payload);
    if (payloadType === 8 && dataKey !== undefined) {
      const { Challenge } = JSON.parse(payload.toString()) as { readonly Challenge: string };
      const secret = open(dataKey.subarray(0, 32), Buffer.from(Challenge, 'base64'));
      channel.send(9, JSON.stringify({ Challenge: seal(dataKey.subarray(32), secret).toString('base64') }));
    }
    if (payloadType === 7) complete = payload.toString();
  };
  await channel.until(() => complete !== undefined || channel.closedWith !== undefined);
  if (channel.closedWith !== undefined) return channel.closedWith;
  expect(complete).toContain('This session is encrypted using AWS KMS.');
  return dataKey as Buffer;
}

describeWith(processTasks, 'a session in a cluster with a key', () => {
  let local: ExecEndpoint;
  let kms: KMSClient;
  let task: Task;

  beforeAll(async () => {
    local = await ExecEndpoint.start(encryptedAssembly('kms:Decrypt'));
    kms = new KMSClient(local.client);
    task = await local.runTask();
  });

  afterAll(async () => {
    kms.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  it('is encrypted with a data key that both sides have proved to have', async () => {
    const { session } = await local.execute(task, `sh -c 'echo hello; read line; echo "<$line>"'`);
    const channel = await local.connect({ streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' });
    const context = { 'aws:ssm:SessionId': session?.sessionId ?? '', 'aws:ssm:TargetId': targetOf(task) };
    const key = (await agree(kms, channel, context)) as Buffer;
    channel.send(1, seal(key.subarray(32), Buffer.from('secret\r')));
    await channel.closed();
    const output = channel.frames.filter(({ payloadType }) => payloadType === 1);
    const pieces = new Map(output.map(({ sequence, payload }) => [sequence, open(key.subarray(0, 32), payload)]));
    expect(Buffer.concat([...pieces.values()]).toString()).toMatch(/^hello\r\n(secret\r\n)?<secret>\r\n$/);
    expect(channel.output.includes('hello')).toBe(false);
  });

  it('ends when the data key is for another session', async () => {
    const channel = await local.open(task, 'echo hello');
    expect(await agree(kms, channel, CONTEXT)).toMatch(/^Fetching data key failed: .*InvalidCiphertextException/);
  });

  it('has keys that decrypt only with the same context', async () => {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/sessions' }));
    expect(KeyMetadata).toMatchObject({ Description: 'sessions', Enabled: true });
    const { Plaintext, CiphertextBlob, KeyId } = await kms.send(
      new GenerateDataKeyCommand({ KeyId: 'alias/sessions', NumberOfBytes: 64, EncryptionContext: CONTEXT }),
    );
    expect(KeyId).toBe(KeyMetadata?.Arn);
    const decrypted = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: CONTEXT }));
    expect(Buffer.from(decrypted.Plaintext ?? []).equals(Buffer.from(Plaintext ?? []))).toBe(true);
    const other = { ...CONTEXT, 'aws:ssm:TargetId': 'other' };
    await expect(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: other }))).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
    });
    await expect(kms.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });
});

describeWith(processTasks, "a session in a cluster with a key that the task's role may not use", () => {
  it('ends, and says why', async () => {
    const local = await ExecEndpoint.start(encryptedAssembly('kms:DescribeKey'));
    const kms = new KMSClient(local.client);
    const task = await local.runTask();
    const { session } = await local.execute(task, 'echo hello');
    const channel = await local.connect({ streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' });
    const context = { 'aws:ssm:SessionId': session?.sessionId ?? '', 'aws:ssm:TargetId': targetOf(task) };
    expect(await agree(kms, channel, context)).toMatch(/AccessDeniedException.*kms:Decrypt/);
    kms.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });
});
