import type { Clock } from '../../../lib/session';

/** The system's time, so many times faster: what takes a session seconds takes a test milliseconds. */
export const fastClock = (times: number): Clock => ({
  now: () => performance.now() * times,
  after: (milliseconds, work) => {
    const timer = setTimeout(work, milliseconds / times);
    return () => clearTimeout(timer);
  },
});
