import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { webSocketAgent } from '../../lib/aws/web-socket-agent';
import { ConnectProxy } from '../support/network/connect-proxy';
import type { PrivateCa } from '../support/network/private-ca';
import { makePrivateCa, openssl } from '../support/network/private-ca';
import { describeWith } from '../support/run/requirements';

const NAME = 'ssmmessages.example.test';

describeWith(openssl, 'a WebSocket to AWS from a company’s network', () => {
  let folder: string;
  let ca: PrivateCa;
  let server: Server;
  let proxy: ConnectProxy;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-socket-'));
    ca = makePrivateCa(folder, NAME);
    server = createServer({ key: ca.key, cert: ca.certificate });
    new WebSocketServer({ server }).on('connection', (socket) => socket.send('hello'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    proxy = await ConnectProxy.start(() => (server.address() as AddressInfo).port);
  });
  afterAll(async () => {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const greeting = async (environment: NodeJS.ProcessEnv): Promise<string> => {
    const url = `wss://${NAME}/v1/data-channel/x`;
    const socket = new WebSocket(url, { agent: await webSocketAgent(url, environment) });
    try {
      const [data] = (await once(socket, 'message')) as [Buffer];
      return data.toString();
    } finally {
      socket.terminate();
    }
  };

  test('goes through the proxy, with the company’s certificates', async () => {
    await expect(greeting({ HTTPS_PROXY: proxy.url(), AWS_CA_BUNDLE: ca.caFile })).resolves.toBe('hello');
    expect(proxy.asked).toEqual([`CONNECT ${NAME}:443`]);
  });

  test('is refused without the certificates', async () => {
    await expect(greeting({ HTTPS_PROXY: proxy.url() })).rejects.toThrow(/certificate/);
  });

  test('needs no agent on this machine', async () => {
    await expect(webSocketAgent('ws://127.0.0.1:1/', { HTTPS_PROXY: proxy.url() })).resolves.toBeUndefined();
  });
});
