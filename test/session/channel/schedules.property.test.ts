import { play, scheduleOf } from '../../support/session/schedule';

/** A few seconds' worth. `npm run soak -- session` plays a million. */
const SCHEDULES = 2_000;

describe('the data channel', () => {
  test('delivers every message once and in order, even if messages are lost, late, duplicated, reordered or cut off', async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) await play(scheduleOf(seed));
  });
});
