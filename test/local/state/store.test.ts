import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { parse, stringify } from '../../../lib/local/state/json-dates';
import { Store } from '../../../lib/local/state/store';

describe('the state', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mngr-fargate-state-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const journal = (): string => join(directory, 'state.jsonl');

  it('is there again after a restart, dates as dates', async () => {
    const store = await Store.open(directory);
    const things = store.collection<{ at: Date; n: number }>('things');
    things.set('a', { at: new Date(5), n: 1 });
    things.set('b', { at: new Date(6), n: 2 });
    things.set('a', { at: new Date(7), n: 3 });
    things.delete('b');
    await store.close();
    expect(statSync(journal()).mode & 0o777).toBe(0o600);
    const again = await Store.open(directory);
    expect([...again.collection('things').entries()]).toEqual([['a', { at: new Date(7), n: 3 }]]);
    await again.close();
  });

  it('survives a crash in the middle of a line', async () => {
    const store = await Store.open(directory);
    store.collection<number>('n').set('whole', 1);
    await store.close();
    appendFileSync(journal(), '["n","half",');
    const again = await Store.open(directory);
    expect([...again.collection('n').entries()]).toEqual([['whole', 1]]);
    again.collection<number>('n').set('next', 2);
    await again.close();
    const last = await Store.open(directory);
    expect([...last.collection('n').entries()]).toEqual([
      ['whole', 1],
      ['next', 2],
    ]);
    await last.close();
  });

  it('does not grow with every change', async () => {
    const store = await Store.open(directory);
    const n = store.collection<number>('n');
    for (let turn = 0; turn < 5000; turn += 1) {
      n.set(String(turn % 5), turn);
      if (turn % 5 === 4) await store.flush();
    }
    await store.close();
    expect(readFileSync(journal(), 'utf8').split('\n').length).toBeLessThan(2100);
    const again = await Store.open(directory);
    expect([...again.collection('n').values()].sort()).toEqual([4995, 4996, 4997, 4998, 4999]);
    await again.close();
  });

  it('keeps any value, and dates among them', () => {
    fc.assert(
      fc.property(fc.json(), fc.date({ noInvalidDate: true }), (text, at) => {
        const value: unknown = JSON.parse(text);
        expect(parse(stringify({ value, at, list: [at, value] }))).toEqual({ value, at, list: [at, value] });
      }),
    );
  });
});
