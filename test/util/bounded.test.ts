import fc from 'fast-check';
import { Semaphore, mapBounded } from '../../lib/util/bounded';

/** Work that ends when the scheduler says so, and notes how much of it was under way at once. */
class CountedWork {
  readonly begun: number[] = [];
  most = 0;
  private underWay = 0;

  constructor(private readonly scheduler: fc.Scheduler) {}

  async do(item: number): Promise<number> {
    this.begun.push(item);
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    await this.scheduler.schedule(Promise.resolve());
    this.underWay -= 1;
    return item * 2;
  }
}

const items = fc.array(fc.nat(), { maxLength: 12 });
const limits = fc.integer({ min: 1, max: 5 });

describe('mapBounded', () => {
  test('gives results in order, whichever ends first, and never runs more at a time than allowed', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), items, limits, async (scheduler, given, limit) => {
        const work = new CountedWork(scheduler);
        const results = await scheduler.waitFor(mapBounded(given, limit, (item) => work.do(item)));
        expect(results).toEqual(given.map((item) => item * 2));
        expect(work.most).toBeLessThanOrEqual(limit);
      }),
    ));

  test('starts nothing more after a failure, and throws it once the rest has ended', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const mapped = mapBounded([1, 2, 3, 4], 2, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error('one');
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(item);
    });
    await expect(mapped).rejects.toThrow('one');
    expect(begun).toEqual([1, 2]);
    expect(ended).toEqual([2]);
  });
});

describe('a semaphore', () => {
  test('starts work in the order of the calls, never more than the limit at once, and returns each result to its caller', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), items, limits, async (scheduler, given, limit) => {
        const work = new CountedWork(scheduler);
        const semaphore = new Semaphore(limit);
        const all = Promise.all(given.map((item) => semaphore.run(() => work.do(item))));
        expect(await scheduler.waitFor(all)).toEqual(given.map((item) => item * 2));
        expect(work.begun).toEqual(given);
        expect(work.most).toBeLessThanOrEqual(limit);
      }),
    ));

  test('continues after a failure', async () => {
    const semaphore = new Semaphore(1);
    const failing = semaphore.run(() => Promise.reject(new Error('no')));
    const next = semaphore.run(() => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('next');
  });
});
