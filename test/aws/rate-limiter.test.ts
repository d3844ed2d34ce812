import { RateLimiter } from '../../lib/aws/rate-limiter';

/** Waiting for a token of this one would outlast every test. */
const slow = (burst: number): RateLimiter => new RateLimiter(burst, 1e-6);

describe('the rate limiter', () => {
  test('allows a burst, and makes the next call wait', async () => {
    const limiter = slow(3);
    await Promise.all([limiter.take(), limiter.take(), limiter.take()]);
    const controller = new AbortController();
    const fourth = limiter.take(controller.signal);
    const outcome = await Promise.race([fourth, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]);
    expect(outcome).toBe('waits');
    controller.abort();
    await expect(fourth).rejects.toMatchObject({ code: 'aborted' });
  });

  test('gives turns in the order of asking', async () => {
    const limiter = new RateLimiter(2, 500);
    const order: number[] = [];
    await Promise.all(Array.from({ length: 20 }, (_, index) => limiter.take().then(() => order.push(index))));
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test('fills up again with time, and not beyond its burst', async () => {
    const limiter = new RateLimiter(2, 1_000);
    await Promise.all([limiter.take(), limiter.take(), limiter.take()]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([limiter.take(), limiter.take()]);
  });

  test('one that gives up waiting takes no turn from those behind it', async () => {
    const limiter = slow(1);
    await limiter.take();
    const controllers = [new AbortController(), new AbortController()];
    const waiting = controllers.map(({ signal }) => limiter.take(signal));
    // The last one first: it must not have to wait for those before it.
    for (const [index, controller] of [...controllers.entries()].reverse()) {
      controller.abort(new Error(`enough of ${index}`));
      await expect(waiting[index]).rejects.toMatchObject({ code: 'aborted', cause: new Error(`enough of ${index}`) });
    }
  });
});
