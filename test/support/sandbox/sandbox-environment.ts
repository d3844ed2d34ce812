import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProviderConfig } from '../../../lib/contract/provider-config';
import { Hosts } from '../../../lib/hosts';
import { loadServiceSecrets } from '../../../lib/sandbox/core/secrets';
import { SandboxCore } from '../../../lib/sandbox/core/service';
import { installEngine } from '../../../lib/sandbox/engine/install';
import type { Caller } from '../../../lib/sandbox/model/types';
import { SANDBOX_PROVIDER } from '../../../lib/sandbox/serve';
import { settingsOfEnvironment } from '../../../lib/sandbox/settings';
import type { SandboxSettings } from '../../../lib/sandbox/settings';
import { SqliteStore } from '../../../lib/sandbox/store';
import { startHostsEnvironment } from '../host/hosts-environment';
import type { HostsEnvironment } from '../host/hosts-environment';

/** Sweeps that a test runs itself. */
const NEVER = 2 ** 31 - 1;

export const ALICE: Caller = { tenant: 'default', keyId: 'alice', keyName: 'alice', admin: false };
export const MALLORY: Caller = { tenant: 'other', keyId: 'mallory', keyName: 'mallory', admin: true };

export interface OpenService {
  readonly service: SandboxCore;
  readonly store: SqliteStore;
  /** Moves the service's clock on. */
  pass(milliseconds: number): void;
}

/** The local endpoint with real hosts, for services that a test opens one after another in the same data directory. */
export interface SandboxEnvironment {
  readonly hosts: HostsEnvironment;
  readonly config: ProviderConfig;
  readonly dataDirectory: string;
  open(settings?: Partial<SandboxSettings>): Promise<OpenService>;
  /** A launcher of the provider that sandboxes have. */
  launcher(): Hosts;
  close(): Promise<void>;
}

export async function startSandboxEnvironment(): Promise<SandboxEnvironment> {
  const environment = await startHostsEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'mngr-sandbox-core-'));
  const config: ProviderConfig = { ...environment.config, transport: 'direct', default_idle_timeout: 0 };
  const aws = {
    endpoint: environment.local.endpoint,
    credentials: () => Promise.resolve(environment.local.credentials),
  };
  const opened: SandboxCore[] = [];
  const launchers: Hosts[] = [];
  return {
    hosts: environment,
    config,
    dataDirectory: folder,
    launcher: () => {
      const hosts = new Hosts({ config, provider: SANDBOX_PROVIDER, keyDirectory: join(folder, 'other'), aws });
      launchers.push(hosts);
      return hosts;
    },
    open: async (changes = {}) => {
      let passed = 0;
      const settings = {
        ...settingsOfEnvironment({ SANDBOX_DATA_DIRECTORY: folder }),
        cpu: 256,
        memory: 512,
        ...changes,
      };
      const store = await SqliteStore.open({ file: settings.databaseFile });
      const hosts = new Hosts({ config, provider: SANDBOX_PROVIDER, keyDirectory: folder, aws });
      const service = new SandboxCore({
        ...{ store, hosts, settings, install: installEngine, secrets: await loadServiceSecrets(folder) },
        times: { expiry: NEVER, orphans: NEVER, renewal: NEVER, pruning: NEVER },
        now: () => Date.now() + passed,
      });
      opened.push(service);
      await service.start();
      return { service, store, pass: (milliseconds) => (passed += milliseconds) };
    },
    close: async () => {
      for (const service of opened) await service.close();
      for (const hosts of launchers) await hosts.close();
      await environment.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
