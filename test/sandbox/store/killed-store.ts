/**
 * Lives the life of a session in a store and kills itself with SIGKILL before the statement of the given number. Says what
 * was answered, one line each. Run with tsx; arguments: the database's file, the number.
 */
import { writeSync } from 'node:fs';
import { SqliteStore } from '../../../lib/sandbox/store';
import { life } from './store-life';

const [, , file = '', number = ''] = process.argv;
let left = Number(number);

void SqliteStore.open({
  file,
  onStatement: () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
}).then(async (store) => {
  await life(store, (what) => writeSync(1, `${what}\n`));
  await store.close();
});
