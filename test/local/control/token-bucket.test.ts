import * as fc from 'fast-check';
import { TokenBucket } from '../../../lib/local/control/token-bucket';

describe('a token bucket', () => {
  it('never gives more than its burst and what has flowed in since', () => {
    const calls = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 2000 }), count: fc.integer({ min: 1, max: 20 }) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 50 }),
        calls,
        (burst, perSecond, steps) => {
          let now = 0;
          const bucket = new TokenBucket({ burst, perSecond }, () => now);
          let given = 0;
          for (const { wait, count } of steps) {
            now += wait;
            if (bucket.take(count)) given += count;
            expect(given).toBeLessThanOrEqual(burst + (now / 1000) * perSecond + 1e-6);
          }
        },
      ),
    );
  });

  it('gives its whole burst at once, then one at its rate', () => {
    let now = 0;
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, () => now);
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
    now = 499;
    expect(bucket.take()).toBe(false);
    now = 500;
    expect(bucket.take()).toBe(true);
  });
});
