import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { MngrFargateError } from '../contract/errors';
import type { AwsSettings } from '../aws/client-options';
import type { ProviderConfig } from '../contract/provider-config';
import { Hosts } from '../hosts';
import { writePrivateFile } from '../util/atomic-file';
import { ensurePrivateFolder } from '../util/private-folder';
import { loadServiceSecrets } from './core/secrets';
import { SandboxCore } from './core/service';
import type { SweepTimes } from './core/sweeper';
import { installEngine } from './engine/install';
import { createHttpServer } from './http/server';
import type { HttpServerOptions } from './http/server';
import { webPage } from './http/web';
import { removeServiceRecord, writeServiceRecord } from './service-record';
import type { SandboxSettings } from './settings';
import { SqliteStore } from './store';

/** Marks the hosts of sandboxes, so that no list or clean-up of another provider has them. */
export const SANDBOX_PROVIDER = 'sandbox';
const KEY_FILE = 'key';
const KEY_NAME = 'operator';

export interface ServeOptions {
  readonly settings: SandboxSettings;
  /** Where sandboxes run. */
  readonly config: ProviderConfig;
  readonly aws?: AwsSettings;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  readonly http?: Partial<Omit<HttpServerOptions, 'service'>>;
  readonly times?: Partial<SweepTimes>;
}

export interface RunningSandbox {
  readonly url: string;
  /** An admin's key: SANDBOX_SECRET, or that of the file `key` in the data directory. */
  readonly key: string;
  readonly dataDirectory: string;
  readonly service: SandboxCore;
  /** Ends the service. Its sandboxes are left for the next start, or destroyed. Calling it again waits for the same end. */
  close(options?: { readonly destroy?: boolean }): Promise<void>;
}

/** Starts the service in this process: state, hosts and HTTP. Throws MngrFargateError for what an operator can mend. */
export async function serveSandbox(options: ServeOptions): Promise<RunningSandbox> {
  const { settings, config, aws, host = '127.0.0.1', port = 0, http = {}, times } = options;
  const { dataDirectory } = settings;
  ensurePrivateFolder(dataDirectory, "the sandbox service's state");
  // The lock of the database keeps a second service out of the data directory before anything else in it is touched.
  const store = await SqliteStore.open({ file: settings.databaseFile, journal: settings.journal });
  const closers: (() => Promise<void>)[] = [() => store.close()];
  try {
    const secrets = await loadServiceSecrets(dataDirectory, settings.masterSecret);
    const hosts = new Hosts({ config, provider: SANDBOX_PROVIDER, keyDirectory: dataDirectory, aws });
    const service = new SandboxCore({ store, hosts, secrets, install: installEngine, settings, times });
    closers.unshift(() => service.close());
    await service.start();
    const key = settings.secret ?? (await ownKey(service, dataDirectory));
    const app = await createHttpServer({ plugins: [webPage], ...http, service });
    closers.unshift(() => app.close());
    await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
      throw cannotListen(host, port, error);
    });
    const url = urlOf(host, (app.server.address() as AddressInfo).port);
    const ownedKey = settings.secret === undefined ? key : undefined;
    await writeServiceRecord({ url, key: ownedKey, pid: process.pid, dataDirectory });
    let closing: Promise<void> | undefined;
    const close = async (destroy: boolean): Promise<void> => {
      await removeServiceRecord(dataDirectory);
      await app.close();
      if (destroy) await service.destroyAll();
      await service.close();
    };
    return {
      ...{ url, key, dataDirectory, service },
      close: ({ destroy = false } = {}) => (closing ??= close(destroy)),
    };
  } catch (error) {
    for (const close of closers) await close().catch(() => undefined);
    throw error;
  }
}

/** The operator's key. The store has its hash; the key itself is in a file that only the operator can read. */
async function ownKey(service: SandboxCore, dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, KEY_FILE);
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  const caller = await service.authenticate(known);
  if (caller?.admin === true) return known;
  const names = new Set(
    (await service.listKeys()).filter(({ revokedAt }) => revokedAt === null).map(({ name }) => name),
  );
  let name = KEY_NAME;
  for (let count = 2; names.has(name); count += 1) name = `${KEY_NAME}-${count}`;
  const { secret } = await service.createKey({ name, admin: true });
  await writePrivateFile(file, `${secret}\n`);
  return secret;
}

const urlOf = (host: string, port: number): string => {
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
};

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): MngrFargateError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has the port',
    EACCES: 'this user may not open the port',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'there is no such address',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  return new MngrFargateError('failed', `the service can't listen on ${host} port ${port}: ${reason}`, {
    cause: error,
    hint: 'choose another with --port (0: any free one) or --host',
  });
}
