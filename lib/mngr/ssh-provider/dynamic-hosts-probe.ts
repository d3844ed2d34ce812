import { readFile } from 'node:fs/promises';
import { connect, openGreeting, readPinnedHostKeys, run, shellQuote } from '../../ssh';
import type { DynamicHost } from './dynamic-hosts';

/** Milliseconds within which a host must answer. mngr itself would wait 30 s for one that doesn't. */
const ANSWER_PATIENCE = 3_000;
/** Milliseconds for a login, and for the script after it. */
const LOGIN_PATIENCE = 5_000;
const SCRIPT_PATIENCE = 5_000;

/** True if an SSH server identifies itself at the host's address. Doesn't log in. */
export async function answers({ address, port }: DynamicHost): Promise<boolean> {
  try {
    const { stream } = await openGreeting({ host: address, port, timeoutMs: ANSWER_PATIENCE }).greeting;
    stream.destroy();
    return true;
  } catch {
    return false;
  }
}

/**
 * Logs in with the host's key and its pinned host key, as mngr will, and writes into its data.json the id and the name
 * that the host has in mngr. False when the login fails; a data.json that can't be written doesn't hide the host.
 */
export async function introduce(host: DynamicHost, mngrHostId: string): Promise<boolean> {
  const { name, address, port, user } = host;
  try {
    const [privateKey, keys] = await Promise.all([
      readFile(host.keyFile, 'utf8'),
      readPinnedHostKeys(host.knownHostsFile, address, port),
    ]);
    const hostKey = { type: 'pinned', keys } as const;
    const connection = await connect({
      host: address,
      port,
      user,
      privateKey,
      hostKey,
      timeoutMs: LOGIN_PATIENCE,
    });
    try {
      const words = ['sh', '-s', mngrHostId, name].map(shellQuote).join(' ');
      const signal = AbortSignal.timeout(SCRIPT_PATIENCE);
      await run(connection, words, { stdin: NAME_SCRIPT, signal }).catch(() => undefined);
    } finally {
      connection.close();
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * What `introduce` runs on a host, with `sh -s ID NAME`: the id and the name that the host has in mngr. Changes two fields
 * of data.json, in one rename, under the lock that mngr 0.3 and the watchdog take; whoever takes the lock increments its
 * generation. At boot, data.json gets the host's first id and name.
 */
export const NAME_SCRIPT = `set -eu
directory=\${MNGR_HOST_DIR:-/mngr}
data=$directory/data.json
lock=$directory/host_lock
if jq -e --arg id "$1" --arg name "$2" '.host_id == $id and .host_name == $name' "$data" >/dev/null; then exit 0; fi
exec 9>>"$lock"
flock -w 3 9
count=$(cat "$lock.generation" 2>/dev/null || echo 0)
case $count in '' | *[!0-9]*) count=0 ;; esac
echo $((count + 1)) >"$lock.generation"
jq --arg id "$1" --arg name "$2" '.host_id = $id | .host_name = $name' "$data" >"$data.sync"
chmod 644 "$data.sync"
mv "$data.sync" "$data"
`;
