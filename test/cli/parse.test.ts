import fc from 'fast-check';
import { parseDuration, parseDurationOrNever, parseSince } from '../../lib/cli/parse/duration';
import { environmentPairs, keyValues, tagChanges } from '../../lib/cli/parse/key-value';
import { parseCopy } from '../../lib/cli/parse/remote-path';
import { parseCpu, parseMemory, parseStorage } from '../../lib/cli/parse/size';

test.each([
  ['90', 90],
  ['90s', 90],
  ['30m', 1800],
  ['2h', 7200],
  ['1h30m', 5400],
  ['1.5h', 5400],
  ['7d', 604_800],
  ['1w', 604_800],
])('%s is %d seconds', (text, seconds) => expect(parseDuration(text, '--max-age')).toBe(seconds));

test.each(['', 'm', '5 m', '1h-30m', '-5m', 'soon', '5x', '30m!'])('%j is not a duration', (text) => {
  expect(() => parseDuration(text, '--max-age')).toThrow('--max-age takes a duration');
});

test('never is no limit', () => {
  expect(parseDurationOrNever('never', '--idle-timeout')).toBe(0);
  expect(parseDurationOrNever('0', '--idle-timeout')).toBe(0);
});

test('a time to look back to is a duration or a date', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  expect(parseSince('10m', now)).toEqual(new Date('2026-11-21T11:50:00Z'));
  expect(parseSince('2026-11-20T10:00:00Z', now)).toEqual(new Date('2026-11-20T10:00:00Z'));
  expect(() => parseSince('2026-13-45', now)).toThrow('--since');
});

test.each([
  ['1024', 1024],
  ['256', 256],
  ['1', 1024],
  ['0.5', 512],
  ['.25vcpu', 256],
  ['16', 16_384],
  ['2vcpu', 2048],
  ['4 vCPU', 4096],
])('--cpu %s is %d units', (text, units) => expect(parseCpu(text)).toBe(units));

test.each([
  ['4096', 4096],
  ['512', 512],
  ['4', 4096],
  ['0.5GB', 512],
  ['4g', 4096],
  ['4 GiB', 4096],
  ['2048MiB', 2048],
  ['120', 122_880],
])('--memory %s is %d MiB', (text, mebibytes) => expect(parseMemory(text)).toBe(mebibytes));

test.each(['', 'lots', '1tb', '-1', '1,5', '0x10'])('%j is not a size', (text) => {
  expect(() => parseCpu(text)).toThrow('--cpu takes');
  expect(() => parseMemory(text)).toThrow('--memory takes');
  expect(() => parseStorage(text)).toThrow('--ephemeral-storage takes');
});

test('what is written as KEY=VALUE comes back, for any value', () => {
  const key = fc.stringMatching(/^[^=]+$/);
  fc.assert(
    fc.property(fc.dictionary(key, fc.string(), { noNullPrototype: true }), (pairs) => {
      const words = Object.entries(pairs).map(([name, value]) => `${name}=${value}`);
      expect(keyValues(words, '--tag')).toEqual(pairs);
    }),
  );
});

test('a pair without a key is refused', () => {
  expect(() => keyValues(['=x'], '--tag')).toThrow('--tag takes KEY=VALUE, not "=x"');
  expect(() => keyValues(['x'], '--tag')).toThrow('--tag takes KEY=VALUE, not "x"');
});

test('a variable without a value takes it from the environment', () => {
  expect(environmentPairs(['A=1', 'B'], { B: '2' })).toEqual({ A: '1', B: '2' });
  expect(() => environmentPairs(['C'], {})).toThrow('--env C: the variable C is not set in this environment');
});

test('tags are set and removed', () => {
  expect(tagChanges(['team=a', 'old-', 'dash=-', 'e=x-'])).toEqual({
    set: { team: 'a', dash: '-', e: 'x-' },
    remove: ['old'],
  });
});

test.each([
  ['./a', 'fox:/b', { direction: 'up', reference: 'fox', remote: '/b', local: './a' }],
  ['fox:b c', '.', { direction: 'down', reference: 'fox', remote: 'b c', local: '.' }],
  ['fox:', 'x', { direction: 'down', reference: 'fox', remote: '.', local: 'x' }],
  ['@web:/x', '.', { direction: 'down', reference: '@web', remote: '/x', local: '.' }],
  ['a', ':/x', { direction: 'up', reference: undefined, remote: '/x', local: 'a' }],
  [':', './:x', { direction: 'down', reference: undefined, remote: '.', local: './:x' }],
  ['./a:b', 'fox:c:d', { direction: 'up', reference: 'fox', remote: 'c:d', local: './a:b' }],
])('cp %s %s', (source, destination, copy) => expect(parseCopy(source, destination)).toEqual(copy));

test('a copy has exactly one end on a host or in a task', () => {
  expect(() => parseCopy('a', 'b')).toThrow('neither is');
  expect(() => parseCopy('a:x', 'b:y')).toThrow('both are');
});
