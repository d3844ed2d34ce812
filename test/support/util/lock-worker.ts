import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { withFileLock } from '../../../lib/util/file-lock';

/**
 * Takes one lock again and again and writes into a journal what it does while it has it.
 * Arguments: the path to lock, the journal, and how often.
 */
const [path = '', journal = '', rounds = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const say = (what: string): void => appendFileSync(journal, `${process.pid} ${what}\n`);
  for (let round = 0; round < Number(rounds); round += 1) {
    await withFileLock(path, async () => {
      say('in');
      await delay(Math.random() * 4);
      say('still in');
      await delay(Math.random() * 4);
      say('out');
    });
  }
}

void main();
