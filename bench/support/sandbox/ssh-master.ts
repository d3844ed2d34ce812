import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../command';
import type { Contender } from './contender';
import { timeSpawned } from './spawned';

export interface SshMaster extends Contender {
  /** Milliseconds of `scp` over the same connection. `remote:PATH` is a path of the host. */
  copy(from: string, to: string): Promise<number>;
}

/** OpenSSH's client over one connection that it keeps (ControlMaster), to the only host whose keys the folder has. */
export async function sshMaster(keys: string, folder: string): Promise<SshMaster> {
  const [host = ''] = await readdir(keys);
  const knownHosts = join(keys, host, 'known_hosts');
  const { address, port } = addressOf(await readFile(knownHosts, 'utf8'));
  const control = join(folder, 'ssh');
  const options = [
    ...['-F', 'none', '-i', join(keys, host, 'id_ed25519')],
    ...Object.entries({
      IdentitiesOnly: 'yes',
      BatchMode: 'yes',
      StrictHostKeyChecking: 'yes',
      UserKnownHostsFile: knownHosts,
      ControlPath: control,
      Port: port,
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
  const target = `root@${address}`;
  await runCommand({ program: 'ssh', args: [...options, '-f', '-N', '-n', '-o', 'ControlMaster=yes', target] });
  const place = (path: string): string => path.replace(/^remote:/, `${target}:`);
  return {
    name: '`ssh -S`',
    streams: true,
    run: (command) => timeSpawned(['ssh', ...options, '-n', target, command]),
    copy: async (from, to) => {
      const { milliseconds } = await runCommand({
        program: 'scp',
        args: ['-q', ...options, place(from), place(to)],
      });
      return milliseconds;
    },
    end: async () => {
      await runCommand({ program: 'ssh', args: [...options, '-O', 'exit', target] });
    },
  };
}

/** From `name,address KEY`, or with another port `[address]:port KEY`. */
function addressOf(knownHosts: string): { readonly address: string; readonly port: string } {
  const [names = ''] = knownHosts.split(' ');
  const found = /(?:^|,)\[?([\d.]+)\]?(?::(\d+))?(?:,|$)/.exec(names);
  if (found?.[1] === undefined) throw new Error(`no address in ${JSON.stringify(names)}`);
  return { address: found[1], port: found[2] ?? '22' };
}
