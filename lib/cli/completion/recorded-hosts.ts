import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Names of the hosts that this machine has keys for, from the launcher's records: no AWS call, so that a Tab stays quick. */
export async function recordedHostNames(keyDirectory: string): Promise<string[]> {
  const folder = join(keyDirectory, 'hosts');
  const ids = await readdir(folder).catch(() => []);
  const names = await Promise.all(
    ids.map(async (id) => {
      try {
        const record = JSON.parse(await readFile(join(folder, id, 'host.json'), 'utf8')) as { name?: unknown };
        return typeof record.name === 'string' ? [record.name] : [];
      } catch {
        // A record that is being written or removed just now is no candidate.
        return [];
      }
    }),
  );
  return [...new Set(names.flat())].sort();
}
