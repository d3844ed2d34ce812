import { play, scheduleOf } from '../../support/session/schedule';

/** A few seconds' worth. `npm run soak -- session` plays a million. */
const SCHEDULES = 2_000;

describe('the data channel', () => {
  test('brings every message once and in order, whatever is lost, late, doubled, overtaken or cut', async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) await play(scheduleOf(seed));
  });
});
