import { existsSync } from 'node:fs';
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isHostId, isHostName, isProviderName } from '../../contract/host-name';
import type { KeyPair } from '../../ssh';
import { knownHostsName, pinHostKeyAs, readPinnedHostKeys } from '../../ssh';
import { ensurePrivateDirectory, writePrivateFile } from '../../util/atomic-file';
import { Semaphore, mapBounded } from '../../util/bounded';
import { assertPrivateFolder } from '../../util/private-folder';
import { NO_FILES } from '../model/task-view';
import type { LocalFiles } from '../model/task-view';
import type { HostAddress } from '../model/types';
import type { SshConfigSource } from './ssh-config-file';
import { refreshSshConfig } from './ssh-config-file';

/** What the folders are for, as errors say it. */
const KEPT_HERE = "hosts' keys";
/** The port whose addresses known_hosts names without it. */
const SSH_PORT = 22;
/** Limits writes at once, so that the first hosts of a fleet don't wait until the keys of all hosts are on disk. */
const CREATED_AT_ONCE = 8;
/** Up to this many hosts are looked up one by one. */
const FEW_HOSTS = 4;
const READ_AT_ONCE = 16;

/** The setup that a host still needs before its first use; kept only until it is done. */
const setupSchema = z.object({
  command: z.array(z.string()).nullable(),
  env: z.record(z.string(), z.string()),
});

const recordSchema = z.object({
  hostId: z.string().refine(isHostId),
  name: z.string().refine(isHostName),
  provider: z.string().refine(isProviderName),
  /** Null from before RunTask until its answer. */
  taskArn: z.string().nullable(),
  createdAt: z.string(),
  /** Where it was launched, for as long as there is no ARN that says it. */
  region: z.string().optional(),
  cluster: z.string().optional(),
  /** The boot nonce, until the host's key is pinned. */
  nonce: z.string().min(1).nullable(),
  setup: setupSchema.nullable(),
});

export type HostSetup = z.output<typeof setupSchema>;
export type HostRecord = z.output<typeof recordSchema>;

/** One folder per host: `hosts/<host-id>/{id_ed25519, id_ed25519.pub, known_hosts, host.json}`, files 0600, folders 0700. */
export class KeyStore implements SshConfigSource {
  private readonly creating = new Semaphore(CREATED_AT_ONCE);
  private reading: Promise<HostRecord[]> | undefined;

  constructor(readonly keyDirectory: string) {}

  /** Writes all of the files or none: after an error, those already written are removed. */
  create(record: HostRecord, keys: KeyPair): Promise<void> {
    return this.creating.run(async () => {
      await ensurePrivateDirectory(this.hostsFolder);
      assertPrivateFolder(this.hostsFolder, KEPT_HERE);
      const { identityFile } = this.paths(record.hostId);
      try {
        await writePrivateFile(identityFile, keys.privateKey);
        await writePrivateFile(`${identityFile}.pub`, `${keys.publicKey}\n`);
        await this.save(record);
      } catch (error) {
        await this.remove(record.hostId);
        throw error;
      }
    });
  }

  async save(record: HostRecord): Promise<void> {
    await writePrivateFile(join(this.folder(record.hostId), 'host.json'), `${JSON.stringify(record, null, 2)}\n`);
    if (record.nonce === null) await refreshSshConfig(this.fresh);
  }

  /** Pins the key for the host's id, which is its name where no address leads to it, and for each of its addresses. */
  async pin(hostId: string, addresses: readonly HostAddress[], hostKey: Buffer): Promise<void> {
    const names = new Set([hostId, ...addresses.map(({ host, port }) => knownHostsName(host, port))]);
    await pinHostKeyAs(this.knownHosts(hostId), [...names], hostKey);
  }

  /** Keys that are pinned for the host's id, or for its address by an older launcher. */
  async pinnedKeys(hostId: string, address: HostAddress | null): Promise<Buffer[]> {
    const file = this.knownHosts(hostId);
    const keys = await readPinnedHostKeys(file, hostId, SSH_PORT);
    return keys.length > 0 || address === null ? keys : readPinnedHostKeys(file, address.host, address.port);
  }

  /**
   * The private key, or undefined when the host was created elsewhere. Throws `denied` if another user may have put it
   * there: the pinned host keys beside it would be as little worth.
   */
  async privateKey(hostId: string): Promise<string | undefined> {
    if (!isHostId(hostId)) return undefined;
    if (existsSync(this.folder(hostId)))
      for (const folder of [this.hostsFolder, this.folder(hostId)]) assertPrivateFolder(folder, KEPT_HERE);
    return readFile(this.paths(hostId).identityFile, 'utf8').catch(() => undefined);
  }

  /** Undefined if there is no record, or it is not a valid one. */
  async record(hostId: string): Promise<HostRecord | undefined> {
    if (!isHostId(hostId)) return undefined;
    try {
      const text = await readFile(join(this.folder(hostId), 'host.json'), 'utf8');
      return recordSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** All records. Calls at the same time share one read of the folder, so the creates of a fleet don't each read it. */
  records(): Promise<HostRecord[]> {
    this.reading ??= this.readRecords().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  async files(hostId: string): Promise<LocalFiles> {
    if (!isHostId(hostId)) return NO_FILES;
    const present = async (path: string): Promise<string | null> =>
      (await stat(path).catch(() => null)) ? path : null;
    const paths = this.paths(hostId);
    const [identityFile, knownHostsFile] = await Promise.all([
      present(paths.identityFile),
      present(paths.knownHostsFile),
    ]);
    return { identityFile, knownHostsFile };
  }

  /** Like `files`, for many hosts: reads the folder once, then only the hosts in it. */
  async filesOf(hostIds: readonly string[]): Promise<LocalFiles[]> {
    if (hostIds.length <= FEW_HOSTS) return Promise.all(hostIds.map((hostId) => this.files(hostId)));
    const present = new Set(await readdir(this.hostsFolder).catch(() => []));
    return mapBounded(hostIds, READ_AT_ONCE, (hostId) =>
      present.has(hostId) ? this.files(hostId) : Promise.resolve(NO_FILES),
    );
  }

  /** Paths of the private key and the pinned host key, whether or not they exist. */
  paths(hostId: string): { readonly identityFile: string; readonly knownHostsFile: string } {
    return { identityFile: join(this.folder(hostId), 'id_ed25519'), knownHostsFile: this.knownHosts(hostId) };
  }

  async remove(hostId: string): Promise<void> {
    if (!isHostId(hostId)) return;
    await rm(this.folder(hostId), { recursive: true, force: true });
    await refreshSshConfig(this.fresh);
  }

  /** With records that are read when they are asked for: a read that has begun may have missed what was just written. */
  private get fresh(): SshConfigSource {
    return { keyDirectory: this.keyDirectory, records: () => this.readRecords(), paths: (id) => this.paths(id) };
  }

  private async readRecords(): Promise<HostRecord[]> {
    const ids = await readdir(this.hostsFolder).catch(() => []);
    const records = await Promise.all(ids.map((id) => this.record(id)));
    return records.filter((record) => record !== undefined);
  }

  private get hostsFolder(): string {
    return join(this.keyDirectory, 'hosts');
  }

  private folder(hostId: string): string {
    return join(this.hostsFolder, hostId);
  }

  private knownHosts(hostId: string): string {
    return join(this.folder(hostId), 'known_hosts');
  }
}
