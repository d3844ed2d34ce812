import { connect } from 'node:net';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';

const MIB = 1024 * 1024;

describe('a request body', () => {
  let local: LocalEndpoint<FakeRuntime>;

  beforeAll(async () => {
    local = await startLocalEndpoint();
  });

  afterAll(async () => {
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  /** Sends a head that announces a body, and a part of it; resolves with the answer that comes without the rest. */
  const announce = (path: string, headers: Readonly<Record<string, string>>, part = Buffer.alloc(0)): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port, host } = new URL(local.endpoint);
      const socket = connect(Number(port), hostname);
      let seen = '';
      const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}`);
      socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      socket.write(part);
      socket.on('data', (data) => (seen += data.toString()));
      socket.once('close', () => resolve(seen));
      socket.once('error', reject);
    });

  const signedBy = (accessKeyId: string): Record<string, string> => ({
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0`,
    'x-amz-date': '20260101T000000Z',
    'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ListClusters',
  });

  it('of 64 KiB at most is read for requests that name no access key of the account', async () => {
    const length = { 'content-length': String(64 * 1024 + 1) };
    expect(await announce('/', length)).toMatch(/^HTTP\/1\.1 413 .*65536 bytes/s);
    expect(await announce('/', { ...signedBy('AKIAUNKNOWN'), ...length })).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('of unannounced length is read no further than that', async () => {
    const chunk = Buffer.concat([Buffer.from('20000\r\n'), Buffer.alloc(0x20000), Buffer.from('\r\n')]);
    expect(await announce('/', { 'transfer-encoding': 'chunked' }, chunk)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('of 4 MiB at most is read for the others', async () => {
    const length = { 'content-length': String(4 * MIB + 1) };
    expect(await announce('/', { ...signedBy(local.credentials.accessKeyId), ...length })).toMatch(
      /^HTTP\/1\.1 413 .*4194304 bytes/s,
    );
  });

  it('for the control API is not read without its token', async () => {
    expect(await announce('/_control/faults', { 'content-length': String(MIB) })).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('of a web page is not read', async () => {
    const headers = { origin: 'http://evil.example', 'content-length': String(MIB) };
    expect(await announce('/', headers)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('that fits leaves the connection open for the next request', async () => {
    const bodies = await Promise.all([1, 2].map(() => fetch(local.endpoint, { method: 'POST', body: 'Action=None' })));
    expect(bodies.map(({ status }) => status)).toEqual([400, 400]);
  });
});
