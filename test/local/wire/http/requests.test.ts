import { createHash, createHmac } from 'node:crypto';
import type { Hash, Hmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { SignatureV4 } from '@smithy/signature-v4';
import type { SourceData } from '@smithy/types';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';

const bytesOf = (data: SourceData): Uint8Array =>
  typeof data === 'string'
    ? Buffer.from(data)
    : ArrayBuffer.isView(data)
      ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);

class Sha256 {
  private hash = this.made();
  constructor(private readonly secret?: SourceData) {
    this.reset();
  }
  reset(): void {
    this.hash = this.made();
  }
  update(data: SourceData): void {
    this.hash.update(bytesOf(data));
  }
  private made(): Hash | Hmac {
    return this.secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(this.secret));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.hash.digest());
  }
}

describe('a request', () => {
  let local: LocalEndpoint<FakeRuntime>;

  beforeAll(async () => {
    local = await startLocalEndpoint();
  });

  afterAll(async () => {
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const body = '{}';
  const target = 'AmazonEC2ContainerServiceV20141113.ListClusters';

  interface Change {
    readonly headers?: Record<string, string>;
    /** After signing. */
    readonly forge?: (headers: Record<string, string>) => void;
    readonly body?: string;
    readonly date?: Date;
    readonly service?: string;
    readonly region?: string;
    readonly secretAccessKey?: string;
    readonly accessKeyId?: string;
  }

  const send = async (change: Change = {}): Promise<{ status: number; type: string; text: string }> => {
    const { host, hostname, port } = new URL(local.endpoint);
    const signer = new SignatureV4({
      service: change.service ?? 'ecs',
      region: change.region ?? local.region,
      sha256: Sha256,
      credentials: {
        accessKeyId: change.accessKeyId ?? local.credentials.accessKeyId,
        secretAccessKey: change.secretAccessKey ?? local.credentials.secretAccessKey,
      },
    });
    const signed = await signer.sign(
      {
        method: 'POST',
        protocol: 'http:',
        hostname,
        port: Number(port),
        path: '/',
        headers: { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target, ...change.headers },
        body,
      },
      { signingDate: change.date ?? new Date() },
    );
    change.forge?.(signed.headers);
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        { hostname, port, method: 'POST', path: '/', headers: signed.headers },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const parsed = text.startsWith('{') ? (JSON.parse(text) as { __type?: string }) : {};
            resolve({ status: response.statusCode ?? 0, type: parsed.__type ?? '', text });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(change.body ?? body);
    });
  };

  it('is served when it is signed, also without a signed body', async () => {
    expect(await send()).toMatchObject({ status: 200 });
    expect(await send({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })).toMatchObject({ status: 200 });
  });

  it.each<[string, Change, string]>([
    ['unsigned', { forge: (headers) => delete headers.authorization }, 'MissingAuthenticationTokenException'],
    [
      'signed in another way',
      { forge: (headers) => (headers.authorization = 'Basic x') },
      'IncompleteSignatureException',
    ],
    ['of unknown keys', { accessKeyId: 'AKIAUNKNOWN' }, 'UnrecognizedClientException'],
    ['with a token that is not the key’s', { headers: { 'x-amz-security-token': 'x' } }, 'UnrecognizedClientException'],
    ['signed with a wrong secret', { secretAccessKey: 'wrong' }, 'InvalidSignatureException'],
    ['changed on its way', { body: '{"maxResults":1}' }, 'InvalidSignatureException'],
    ['changed in a signed header', { forge: (h) => (h['x-amz-target'] = `${target}s`) }, 'InvalidSignatureException'],
    ['old', { date: new Date(Date.now() - 6 * 60_000) }, 'InvalidSignatureException'],
    ['early', { date: new Date(Date.now() + 6 * 60_000) }, 'InvalidSignatureException'],
    ['for another region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
    ['for another service', { service: 'sts' }, 'InvalidSignatureException'],
  ])('is refused when it is %s', async (_, change, type) => {
    expect(await send(change)).toMatchObject({ status: 400, type });
  });

  it.each<[string, Change]>([
    ['to a name that a web page may have', { headers: { host: 'evil.example:80' } }],
    ['with the origin of a web page', { headers: { origin: 'http://127.0.0.1' } }],
    ['by a browser', { headers: { 'sec-fetch-site': 'cross-site' } }],
  ])('is refused when it is sent %s, however it is signed', async (_, change) => {
    expect(await send(change)).toMatchObject({ status: 403 });
  });

  it('for an operation that is not served names it, and those that are', async () => {
    const answer = await send({
      headers: { 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.CreateCapacityProvider' },
    });
    expect(answer.type).toBe('UnknownOperationException');
    expect(answer.text).toContain('ecs:CreateCapacityProvider');
    expect(answer.text).toContain('RunTask');
    expect((await send({ headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables' } })).text).toContain('ec2, sts');
  });

  it("gets each service's own error from its SDK client", async () => {
    const wrong = {
      ...local.client,
      credentials: { accessKeyId: local.credentials.accessKeyId, secretAccessKey: 'wrong' },
    };
    await expect(new STSClient(wrong).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    });
    await expect(new EC2Client(wrong).send(new DescribeVpcsCommand({}))).rejects.toMatchObject({ name: 'AuthFailure' });
    await expect(new ECSClient(wrong).send(new DescribeClustersCommand({}))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });

  it('of a session ends with it', async () => {
    const sts = new STSClient(local.client);
    const { Credentials, AssumedRoleUser } = await sts.send(
      new AssumeRoleCommand({ RoleArn: local.outputs.OperatorRoleArn, RoleSessionName: 'me', DurationSeconds: 900 }),
    );
    const session = new STSClient({
      ...local.client,
      credentials: {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken,
      },
    });
    expect((await session.send(new GetCallerIdentityCommand({}))).Arn).toBe(AssumedRoleUser?.Arn);
    local.control.advanceClock(901_000);
    await expect(session.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
    const task = { RoleArn: local.outputs.OperatorRoleArn?.replace(/[^/]+$/, 'none'), RoleSessionName: 'me' };
    await expect(sts.send(new AssumeRoleCommand(task))).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(
      sts.send(new AssumeRoleCommand({ ...task, RoleArn: local.outputs.OperatorRoleArn, DurationSeconds: 7200 })),
    ).rejects.toMatchObject({ name: 'ValidationError' });
  });
});
