import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { SearchMatch } from '../../../lib/contract/sandbox-files';
import { Failure } from '../failure';
import { fileFailure } from './file-errors';
import type { Search } from './search';
import { contentPattern, globPattern, searchFiles } from './search';

/** A regular expression can take for ever on one line: a search has a thread of its own, and this long. */
const LONGEST_SEARCH_MS = 120_000;
const AT_ONCE = 100;

/** What `sandboxd.js` does in a thread that `runSearch` started. */
export async function searchInThread(): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  let batch: SearchMatch[] = [];
  try {
    for await (const match of searchFiles(workerData as Search)) {
      batch.push(match);
      if (batch.length < AT_ONCE) continue;
      port.postMessage(batch);
      batch = [];
    }
    port.postMessage(batch);
    port.postMessage('end');
  } catch (error) {
    const { code, message } = fileFailure(error, (workerData as Search).path);
    port.postMessage({ code, message });
  }
}

/** Calls back with matches; resolves at the end. `signal` ends it. */
export function runSearch(
  search: Search,
  found: (matches: readonly SearchMatch[]) => void,
  signal: AbortSignal,
): Promise<void> {
  // Told at once, before the answer has begun.
  if (search.name !== undefined) globPattern(search.name, search.ignoreCase);
  if (search.content !== undefined) contentPattern(search.content, search.ignoreCase);
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: search });
    const stop = (error?: Error): void => {
      clearTimeout(timer);
      void worker.terminate();
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = setTimeout(
      () => stop(new Failure('bad_request', 'the search takes too long: search fewer files, or for something simpler')),
      LONGEST_SEARCH_MS,
    );
    signal.addEventListener('abort', () => stop(), { once: true });
    worker.on('error', stop);
    worker.on('message', (message: 'end' | readonly SearchMatch[] | { code: Failure['code']; message: string }) => {
      if (message === 'end') stop();
      else if ('code' in message) stop(new Failure(message.code, message.message));
      else found(message as readonly SearchMatch[]);
    });
  });
}
