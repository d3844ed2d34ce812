import { once } from 'node:events';
import type { Client, ClientChannel } from 'ssh2';
import { until } from '../support/run/eventually';
import type { BootedHost, BootHost } from '../support/host/container-host';
import { connectClient, openSession, sshOutput } from '../support/host/container-ssh';

/** Settings under which the watchdog looks at the host as often as it can. */
export const EAGER = { MNGR_WATCHDOG_INTERVAL_SECONDS: '1' };

const IDLE = /the watchdog ends this host: idle: no activity for \d+ s, latest (\w+), idle_timeout_seconds (\d+)$/m;

/** The rules that hold on every host, whatever it runs in. */
export function describesWatchdog(boot: BootHost): void {
  it('ends an idle host, and says why in the log and on the host', async () => {
    const host = await boot(EAGER);
    await age(host, 'activity/*', '2 hours ago');
    expect(await host.exitCode()).toBe(143);
    expect(await host.logs()).toMatch(IDLE);
    expect(await host.logs()).toContain('the host shuts itself down: PAUSED');
    await host.remove();
  });

  it('ends a host that is too old, also one without an idle timeout', async () => {
    const host = await boot({ ...EAGER, MNGR_IDLE_TIMEOUT_SECONDS: '0', MNGR_MAX_HOST_AGE_SECONDS: '86400' });
    await age(host, 'activity/*', '23 hours ago');
    await passRounds(host, { max_host_age: 86400 });
    await age(host, 'activity/boot', '25 hours ago');
    expect(await host.exitCode()).toBe(143);
    expect(await host.logs()).toMatch(/ends this host: too old: booted 9\d{4} s ago, max_host_age 864\d\d s$/m);
    await host.remove();
  });

  it('counts an SSH session with a command as activity while it lasts', async () => {
    const host = await boot(EAGER);
    const client = await connectClient(host);
    const session = await openSession(client, 'cat');
    await until(() => exists(host, 'activity/ssh'));
    await age(host, 'activity/*', '2 hours ago');
    await passRounds(host);
    await until(() => isFresh(host, 'activity/ssh'));
    await end(client, session);
    expect(await exitCodeOnceIdle(host)).toBe(143);
    await host.remove();
  });

  it('counts a connection for file transfers as a session', async () => {
    const host = await boot(EAGER);
    const client = await connectClient(host);
    await new Promise((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));
    await until(() => exists(host, 'activity/ssh'));
    client.end();
    await host.remove();
  });

  it("waits for mngr's lock, held as mngr 0.3 holds it, and counts its own taking", async () => {
    const host = await boot(EAGER);
    await limit(host, { activity_sources: ['BOOT'] });
    const client = await connectClient(host);
    const holder = await openSession(client, MNGR_LOCK);
    await once(holder, 'data');
    await age(host, 'activity/*', '2 hours ago');
    await until(async () => (await host.logs()).includes('waits for mngr to release the host lock'));
    await passRounds(host);
    expect(await inHostDirectory(host, 'cat host_lock.generation')).toBe('1\n');
    await end(client, holder);
    expect(await host.exitCode()).toBe(143);
    expect((await host.logs()).match(/waits for mngr/g)).toHaveLength(1);
    await host.remove();
  });

  it('stops with STOPPED a host whose agents have ended, and no other', async () => {
    const host = await boot(EAGER);
    await inHostDirectory(host, 'mkdir -p agents/agent-1/activity');
    await sshOutput(host, 'tmux new-session -d -s mngr-one "sleep 100000"');
    await age(host, 'activity/boot agents/agent-1', '10 minutes ago');
    await passRounds(host);
    await host.inside('tmux kill-session -t =mngr-one');
    expect(await host.exitCode()).toBe(143);
    expect(await host.logs()).toMatch(
      /ends this host: no agent left: no tmux session mngr-\*, the newest of 1 agents was made [6-9]\d\d s ago$/m,
    );
    expect(await host.logs()).toContain('the host shuts itself down: STOPPED');
    await host.remove();
  });

  it('counts agents that use the processor as activity, and waiting ones not', async () => {
    const host = await boot(EAGER);
    await limit(host, { activity_sources: ['AGENT', 'BOOT'] });
    await sshOutput(
      host,
      'cd "$MNGR_HOST_DIR" && tmux new-session -d -s mngr-one "while [ ! -e enough ]; do :; done; sleep 100000"',
    );
    await until(() => exists(host, 'activity/agent'));
    await age(host, 'activity/*', '2 hours ago');
    await until(() => isFresh(host, 'activity/agent'));
    await passRounds(host);
    await inHostDirectory(host, 'touch enough');
    expect(await exitCodeOnceIdle(host)).toBe(143);
    await host.remove();
  });
}

/** What mngr 0.3.0 runs over SSH to hold a host's lock (imbue-mngr 0.3.0, hosts/host.py, _build_remote_lock_command). */
const MNGR_LOCK =
  'cd "$MNGR_HOST_DIR" && exec 9>host_lock && flock -n 9 && gen=$(( $(cat host_lock.generation 2>/dev/null || echo 0) + 1 )) && ' +
  'printf "%s\\n" "$gen" > host_lock.generation && printf "%s %s\\n" __MNGR_LOCK_ACQUIRED__ "$gen" && while IFS= read -r _; do :; done';

export const inHostDirectory = (host: BootedHost, script: string): Promise<string> =>
  host.inside(`cd "$MNGR_HOST_DIR" && ${script}`);

/** The command that ages files of the host directory. */
export const ageing = (files: string, when: string): string => `touch -d '${when}' ${files}`;

export const age = (host: BootedHost, files: string, when: string): Promise<string> =>
  inHostDirectory(host, ageing(files, when));

export const exists = async (host: BootedHost, file: string): Promise<boolean> =>
  (await inHostDirectory(host, `test -e ${file} && echo yes || true`)) === 'yes\n';

/** Written within the last minute. */
const isFresh = async (host: BootedHost, file: string): Promise<boolean> =>
  (await inHostDirectory(host, `find ${file} -mmin -1`)) !== '';

/** The exit code of a host that has just become idle. Aged again and again, since a look may still note what was. */
async function exitCodeOnceIdle(host: BootedHost): Promise<number> {
  await until(async () => {
    await age(host, 'activity/*', '2 hours ago').catch(() => undefined);
    return (await host.logs()).includes('ends this host: idle');
  });
  return host.exitCode();
}

/** Changes data.json as `mngr limit` does: another file in its place. `andThen` runs in the same moment. */
export async function limit(
  host: BootedHost,
  changes: Readonly<Record<string, unknown>>,
  andThen = 'true',
): Promise<void> {
  const data: unknown = JSON.parse(await host.readFile('/mngr/data.json'));
  const changed = JSON.stringify({ ...(data as object), ...changes });
  await inHostDirectory(host, `printf %s '${changed}' >data.json.new && mv data.json.new data.json && ${andThen}`);
}

let extra = 0;

/**
 * Returns when the watchdog has looked at the host at least twice and let it be. It is seen by the limits that it logs: a
 * maximum age that is each time another one.
 */
export async function passRounds(host: BootedHost, { max_host_age = 1e9 } = {}): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    extra += 1;
    await limit(host, { max_host_age: max_host_age + extra });
    await until(async () => (await host.logs()).includes(`maximum age ${max_host_age + extra} s`));
  }
}

async function end(client: Client, session: ClientChannel): Promise<void> {
  session.resume().end();
  await once(session, 'close');
  client.end();
}
