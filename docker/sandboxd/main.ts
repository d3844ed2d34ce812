import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { start } from './daemon';
import { startEngine } from './engine';
import { searchInThread } from './files/search-thread';
import { serveFiles } from './files/worker';
import { placesIn, settingsFrom } from './settings';
import { TokenCheck } from './token';

/**
 * `sandboxd start` with the token as one line on stdin makes sure that an engine of this very file runs, and prints
 * `{"socket", "digest", "pid"}`. `sandboxd serve` is the engine itself, which `start` starts; `sandboxd files` is its worker.
 */
async function main([verb = '', ...args]: readonly string[]): Promise<void> {
  if (!isMainThread) return searchInThread();
  if (verb === 'files') return serveFiles(args[0] ?? '', args[1] ?? '/');
  const digest = createHash('sha256').update(readFileSync(__filename)).digest('hex');
  const settings = settingsFrom(args);
  switch (verb) {
    case 'start':
      process.stdout.write(`${JSON.stringify(await start(settings, digest, readFileSync(0, 'utf8').trim()))}\n`);
      return;
    case 'serve': {
      const token = TokenCheck.read(placesIn(settings.directory).tokenHash);
      if (token === undefined) throw new Error('there is no token: start the engine with `sandboxd start`');
      await startEngine(settings, token, digest, () => process.exit(0));
      process.stdout.write('ready\n');
      return;
    }
    default:
      throw new Error(`unknown command ${JSON.stringify(verb)}: use start`);
  }
}

// The one who started it may be gone, and with it what reads its output.
process.stdout.on('error', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGPIPE', () => undefined);
process.on('SIGTERM', () => process.exit(0));
main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`sandboxd: ${error.message}\n`);
  process.exitCode = 1;
});
