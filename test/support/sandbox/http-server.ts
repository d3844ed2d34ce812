import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpServerOptions } from '../../../lib/sandbox/http/server';
import { serveSandbox } from '../../../lib/sandbox/serve';
import { settingsOfEnvironment } from '../../../lib/sandbox/settings';
import { startHostsEnvironment } from '../host/hosts-environment';
import { ApiClient } from './api-client';

/** The sandbox service on a socket of its own, with real hosts of the local endpoint. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly admin: ApiClient;
  close(): Promise<void>;
}

export async function startTestServer(options: Partial<Omit<HttpServerOptions, 'service'>> = {}): Promise<TestServer> {
  const environment = await startHostsEnvironment();
  const { config, local } = environment;
  const dataDirectory = await mkdtemp(join(tmpdir(), 'mngr-sandbox-http-'));
  const running = await serveSandbox({
    settings: {
      ...settingsOfEnvironment({ SANDBOX_DATA_DIRECTORY: dataDirectory, MAX_CONTAINERS: '200' }),
      cpu: 256,
      memory: 512,
    },
    config: { ...config, transport: 'direct', default_idle_timeout: 0 },
    aws: { endpoint: local.endpoint, credentials: () => Promise.resolve(local.credentials) },
    http: options,
  });
  const { url, key } = running;
  return {
    url,
    port: Number(new URL(url).port),
    admin: new ApiClient(url, key),
    close: async () => {
      await running.close({ destroy: true });
      await environment.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
