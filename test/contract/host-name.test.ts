import fc from 'fast-check';
import {
  isHostId,
  isHostName,
  isProviderName,
  newHostId,
  parseStartedBy,
  startedByOf,
} from '../../lib/contract/host-name';

/** The set that the ECS API documents for RunTask's startedBy. */
const STARTED_BY = /^[A-Za-z0-9\-/_]{1,128}$/;

const inner = fc.constantFrom(...'abcXYZ019-_');
const outer = fc.constantFrom(...'abcXYZ019');
const nameUpTo = (length: number) =>
  fc
    .tuple(outer, fc.array(inner, { maxLength: length - 2 }), outer)
    .map(([first, middle, last]) => first + middle.join('') + last);

describe('host names', () => {
  test.each(['a', 'my-agent', 'A_b-9', 'x'.repeat(63)])('%s is one', (name) => {
    expect(isHostName(name)).toBe(true);
  });

  test.each(['', '-a', 'a-', '_a', 'my.agent', 'a b', 'ä', 'a/b', 'x'.repeat(64), 'a\n'])('%j is none', (name) => {
    expect(isHostName(name)).toBe(false);
  });

  test('a new host id is one, and each is another', () => {
    const ids = Array.from({ length: 100 }, newHostId);
    expect(ids.every(isHostId)).toBe(true);
    expect(new Set(ids).size).toBe(100);
  });
});

describe('startedBy', () => {
  test('carries every provider and host name within what ECS allows, and gives them back', () => {
    fc.assert(
      fc.property(nameUpTo(49), nameUpTo(63), (provider, hostName) => {
        expect(isProviderName(provider) && isHostName(hostName)).toBe(true);
        const startedBy = startedByOf(provider, hostName);
        expect(startedBy).toMatch(STARTED_BY);
        expect(parseStartedBy(startedBy)).toEqual({ provider, hostName });
      }),
    );
  });

  test.each(['', 'ecs-svc/123', 'mngr/fargate', 'mngr/fargate/a/b', 'mngr//a', 'other/fargate/a'])(
    '%j of somebody else is not taken for ours',
    (startedBy) => {
      expect(parseStartedBy(startedBy)).toBeUndefined();
    },
  );

  test('never throws, for any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseStartedBy(text)));
  });
});
