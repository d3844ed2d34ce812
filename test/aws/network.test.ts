import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer as createPlainServer } from 'node:http';
import type { Server } from 'node:https';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ConnectProxy } from '../support/network/connect-proxy';
import type { PrivateCa } from '../support/network/private-ca';
import { makePrivateCa, openssl } from '../support/network/private-ca';
import { ROOT } from '../support/run/paths';
import { describeWith } from '../support/run/requirements';

const run = promisify(execFile);
const PROGRAM = join(ROOT, 'test', 'support', 'network', 'list-tasks-program.ts');
const HOST = 'ecs.example.test';
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

/** Answers ListTasks as ECS does when there are no tasks. */
const ecs: RequestListener = (request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end('{"taskArns":[]}');
  });
};

describeWith([openssl], 'calls of AWS in a company network', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-network-'));
  const plain = createPlainServer(ecs);
  let ca: PrivateCa;
  let secure: Server;
  let proxy: ConnectProxy;
  let target: () => number;
  const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

  beforeAll(async () => {
    ca = makePrivateCa(folder, HOST);
    secure = createServer({ key: ca.key, cert: ca.certificate }, ecs);
    await Promise.all([secure, plain].map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
    proxy = await ConnectProxy.start(() => target(), 'name:geheim');
  });
  beforeEach(() => {
    proxy.asked.length = 0;
    proxy.refusal = undefined;
    target = () => portOf(secure);
  });
  afterAll(async () => {
    await proxy.stop();
    secure.closeAllConnections();
    await Promise.all([secure, plain].map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(folder, { recursive: true, force: true });
  });

  /** One call as the launcher makes it, in a process of its own: what it printed. */
  async function listTasks(env: Readonly<Record<string, string>>, endpoint: string, profile = ''): Promise<unknown> {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', PROGRAM, endpoint, profile], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOME: folder, ...KEYS, ...env },
    });
    return JSON.parse(stdout);
  }

  test('HTTPS goes through a tunnel of the proxy, with its name and password', async () => {
    const env = { HTTPS_PROXY: proxy.url('name:geheim'), AWS_CA_BUNDLE: ca.caFile };
    await expect(listTasks(env, `https://${HOST}`)).resolves.toEqual({ taskArns: [] });
    expect(proxy.asked).toEqual([`CONNECT ${HOST}:443`]);
  });

  test('plain HTTP goes through its own proxy', async () => {
    target = () => portOf(plain);
    await expect(listTasks({ HTTP_PROXY: proxy.url() }, `http://${HOST}`)).resolves.toEqual({ taskArns: [] });
    expect(proxy.asked).toEqual([`POST http://${HOST}/`]);
  });

  test('what NO_PROXY names, and this machine itself, is reached directly', async () => {
    const env = { HTTP_PROXY: proxy.url(), HTTPS_PROXY: proxy.url(), NO_PROXY: 'example.test' };
    await expect(listTasks(env, `http://127.0.0.1:${portOf(plain)}`)).resolves.toEqual({ taskArns: [] });
    await expect(listTasks(env, `https://${HOST}`)).resolves.toMatchObject({ code: 'unreachable' });
    expect(proxy.asked).toEqual([]);
  });

  test('a proxy that wants a password says so, and no password is shown', async () => {
    await expect(listTasks({ HTTPS_PROXY: proxy.url('name:falsch') }, `https://${HOST}`)).resolves.toEqual({
      code: 'denied',
      message: `the proxy http://127.0.0.1:${proxy.port} (HTTPS_PROXY) refused a connection to ${HOST}:443: 407 Proxy Authentication Required`,
      hint: 'the proxy asks for a name and a password: set HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT',
    });
  });

  test('a proxy that refuses the address, or is not there, is named', async () => {
    proxy.refusal = '403 Forbidden';
    await expect(listTasks({ HTTPS_PROXY: proxy.url('name:geheim') }, `https://${HOST}`)).resolves.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('403 Forbidden') as string,
    });
    await expect(listTasks({ HTTPS_PROXY: 'http://127.0.0.1:1' }, `https://${HOST}`)).resolves.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/through the proxy http:\/\/127\.0\.0\.1:1 \(HTTPS_PROXY\)/) as string,
    });
  });

  test('certificates of a company are known from AWS_CA_BUNDLE or the profile', async () => {
    const env = { HTTPS_PROXY: proxy.url('name:geheim') };
    await expect(listTasks(env, `https://${HOST}`)).resolves.toMatchObject({
      code: 'unreachable',
      hint: expect.stringContaining('AWS_CA_BUNDLE') as string,
    });
    const config = join(folder, 'config');
    const keys = 'aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret';
    writeFileSync(config, `[profile work]\nca_bundle = ${ca.caFile}\n${keys}\n`);
    const work = { ...env, AWS_CONFIG_FILE: config };
    await expect(listTasks(work, `https://${HOST}`, 'work')).resolves.toEqual({ taskArns: [] });
  });

  test.each([
    ['is not there', () => join(folder, 'absent.pem'), 'ENOENT'],
    ['holds no certificate', () => join(folder, 'names'), 'no certificate'],
  ])('a bundle that %s is refused', async (_what, file, says) => {
    await expect(listTasks({ AWS_CA_BUNDLE: file() }, `https://${HOST}`)).resolves.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(new RegExp(`AWS_CA_BUNDLE.*${says}`)) as string,
    });
  });
});
