import fc from 'fast-check';
import { KnockPace } from '../../lib/ssh';

describe('the pace of knocking', () => {
  test('one host: quick at first, then easier', () => {
    const pace = new KnockPace();
    pace.enter();
    expect([0, 2_999, 3_000, 19_999, 20_000, 1e9].map((elapsed) => pace.gapAfter(elapsed))).toEqual([
      10, 10, 20, 20, 40, 40,
    ]);
  });

  test('of any number of hosts is at most a thousand attempts a second, and never slower than it must be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(60_000), (hosts, elapsed) => {
        const pace = new KnockPace();
        const alone = new KnockPace().gapAfter(elapsed);
        for (let host = 0; host < hosts; host++) pace.enter();
        const gap = pace.gapAfter(elapsed);
        expect((hosts / gap) * 1000).toBeLessThanOrEqual(1_000);
        expect(gap === alone || hosts / gap === 1).toBe(true);
      }),
    );
  });

  test('is taken up again when others have been reached', () => {
    const pace = new KnockPace();
    const leave = Array.from({ length: 100 }, () => pace.enter());
    expect(pace.gapAfter(0)).toBe(100);
    for (const left of leave.slice(1)) left();
    expect(pace.gapAfter(0)).toBe(10);
  });
});
