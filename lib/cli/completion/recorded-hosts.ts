import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isHostName } from '../../contract/host-name';

/** Names of the hosts that this machine has keys for, from the launcher's records: no AWS call, so that completion is quick. */
export async function recordedHostNames(keyDirectory: string): Promise<string[]> {
  const folder = join(keyDirectory, 'hosts');
  const ids = await readdir(folder).catch(() => []);
  const names = await Promise.all(
    ids.map(async (id) => {
      try {
        const record = JSON.parse(await readFile(join(folder, id, 'host.json'), 'utf8')) as { name?: unknown };
        // Shells expand what they are offered: only what can be a host's name is.
        return typeof record.name === 'string' && isHostName(record.name) ? [record.name] : [];
      } catch {
        // Another process is writing or removing the record.
        return [];
      }
    }),
  );
  return [...new Set(names.flat())].sort();
}
