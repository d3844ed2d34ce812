import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpServer } from '../../../lib/sandbox/http/server';
import type { HttpServerOptions } from '../../../lib/sandbox/http/server';
import type { SandboxService } from '../../../lib/sandbox/model/service';
import { ApiClient } from './api-client';
import { scaffoldService } from './scaffold-service';

/** The API on a socket of its own. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly service: SandboxService;
  readonly admin: ApiClient;
  close(): Promise<void>;
}

export async function startTestServer(options: Partial<HttpServerOptions> = {}): Promise<TestServer> {
  const root = await mkdtemp(join(tmpdir(), 'sandbox-'));
  const service = scaffoldService(root);
  const app = await createHttpServer({ service, ...options });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    service,
    admin: new ApiClient(url, 'admin-secret'),
    close: async () => {
      await app.close();
      await service.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
