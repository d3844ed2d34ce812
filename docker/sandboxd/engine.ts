import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { Commands } from './commands/commands';
import { Journal } from './commands/journal';
import { FileWorker } from './files/worker-process';
import { addUser } from './host/add-user';
import { findProgram, Host } from './host/host';
import { Keeper } from './host/keeper';
import { Pipes } from './host/pipes';
import { isSame, processFacts } from './host/processes';
import { createEngineServer } from './http/server';
import type { Settings } from './settings';
import { placesIn } from './settings';
import type { TokenCheck } from './token';

/** The engine in this process, ready when the promise resolves. `ended` is called after it was told to end for good. */
export async function startEngine(
  settings: Settings,
  token: TokenCheck,
  digest: string,
  ended: () => void,
): Promise<Server> {
  const places = placesIn(settings.directory);
  for (const [folder, mode] of [
    [places.output, 0o700],
    [places.pipes, 0o711],
  ] as const) {
    mkdirSync(folder, { recursive: true, mode });
    chmodSync(folder, mode);
  }
  const { journal, entries } = Journal.open(places.journal);
  const { keeper, entry } = keeperOf(settings.directory, entries);
  const host = new Host(settings, places, new Pipes(places.pipes, keeper), keeper);
  if (host.root) addUser('/etc', settings.user, host.bash ?? '/bin/sh');
  host.prepareFolders();
  const commands = new Commands(host, journal);
  commands.recover(entries);
  if (entry !== undefined) journal.add(entry);
  const files = new FileWorker(host);
  const server = createEngineServer({
    token,
    commands,
    digest,
    startedAt: Date.now(),
    files: (call) => files.answer(call),
    end: async () => {
      await commands.endAll();
      files.end();
      keeper.end();
      server.close(() => {
        rmSync(settings.directory, { recursive: true, force: true });
        ended();
      });
      setImmediate(() => server.closeIdleConnections());
    },
  });
  rmSync(places.socket, { force: true });
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(places.socket, resolve);
    });
  } finally {
    process.umask(mask);
  }
  return server;
}

/** The keeper that still runs, or a new one. */
function keeperOf(
  directory: string,
  entries: ReturnType<typeof Journal.open>['entries'],
): {
  readonly keeper: Keeper;
  readonly entry?: { readonly t: 'keeper'; readonly pid: number; readonly startTime: number };
} {
  const path = join(directory, 'keeper');
  const last = entries.filter((entry) => entry.t === 'keeper').at(-1);
  if (last !== undefined && existsSync(path) && isSame(last.pid, last.startTime))
    return { keeper: Keeper.join(path, last.pid) };
  rmSync(path, { force: true });
  execFileSync('mkfifo', ['-m', '600', '--', path]);
  const keeper = Keeper.start(path, findProgram('bash'));
  if (keeper.pid === undefined) return { keeper };
  return { keeper, entry: { t: 'keeper', pid: keeper.pid, startTime: processFacts(keeper.pid)?.startTime ?? 0 } };
}
