import { costOf, hourlyCost } from '../../../lib/hosts/model/cost';

const host = {
  region: 'us-east-1',
  cpu: 1024,
  memory: 4096,
  ephemeralStorage: 20,
  architecture: 'X86_64',
  spot: false,
  publicIp: false,
};

describe('the estimated cost', () => {
  test('of the default host is one vCPU and four GB at the list price', () => {
    expect(hourlyCost(host)).toBeCloseTo(0.04048 + 4 * 0.004445, 6);
  });

  test.each([
    [{ publicIp: true }, 0.05826 + 0.005],
    [{ ephemeralStorage: 120 }, 0.05826 + 100 * 0.000111],
    [{ architecture: 'ARM64' }, 0.05826 * 0.8],
    [{ spot: true }, 0.05826 * 0.3],
    [{ region: 'moon-north-1' }, 0.05826],
  ])('with %j', (change, expected) => {
    expect(hourlyCost({ ...host, ...change })).toBeCloseTo(expected, 6);
  });

  test('runs by the second from the image pull, for a minute at least', () => {
    const from = new Date('2026-01-01T00:00:00Z');
    expect(costOf(host, undefined, from)).toBe(0);
    expect(costOf(host, from, new Date('2026-01-01T00:00:05Z'))).toBeCloseTo(0.05826 / 60, 8);
    expect(costOf(host, from, new Date('2026-01-01T02:00:00Z'))).toBeCloseTo(2 * 0.05826, 8);
  });
});
