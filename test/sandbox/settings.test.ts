import { FARGATE_SIZES, smallestFargateSize } from '../../lib/contract/fargate-sizes';
import { settingsOfEnvironment } from '../../lib/sandbox/settings';

const DIRECTORY = { SANDBOX_DATA_DIRECTORY: '/data/sandbox' };
const settings = (environment: Record<string, string> = {}) => settingsOfEnvironment({ ...DIRECTORY, ...environment });

it('has the seed’s defaults, rounded up to a Fargate size, and says so', () => {
  expect(settings()).toMatchObject({
    ...{ databaseFile: '/data/sandbox/sandbox.db', journal: 'wal', secret: undefined, image: undefined },
    ...{ cpu: 512, memory: 1024, ttlSeconds: 1800, maxSessions: 50, maxSessionsOfKey: 50, retentionDays: 7 },
  });
  expect(settings()).not.toHaveProperty('staleAfterSeconds');
  expect(settings().notes).toEqual([expect.stringContaining('0.5 vCPU, 1024 MiB')]);
  expect(settings({ SANDBOX_CPU_LIMIT: '0.25', SANDBOX_MEMORY_LIMIT: '512m' }).notes).toEqual([]);
});

it('takes the seed’s names', () => {
  const given = settings({
    ...{ SANDBOX_SECRET: 's3cret', SANDBOX_IMAGE: 'repo/image:1', DB_PATH: '/efs/x.db', MAX_CONTAINERS: '7' },
    ...{ SANDBOX_MEMORY_LIMIT: '3g', SANDBOX_CPU_LIMIT: '2', DEFAULT_TTL_SECONDS: '60' },
    ...{ CLEANUP_STALE_THRESHOLD_MINUTES: '1.5', CLEANUP_RETENTION_DAYS: '0.5', SANDBOX_JOURNAL: 'rollback' },
  });
  expect(given).toMatchObject({
    ...{ secret: 's3cret', image: 'repo/image:1', databaseFile: '/efs/x.db', maxSessions: 7, maxSessionsOfKey: 7 },
    ...{ cpu: 2048, memory: 4096, ttlSeconds: 60, staleAfterSeconds: 90, retentionDays: 0.5, journal: 'rollback' },
  });
});

it.each([
  ['SANDBOX_MEMORY_LIMIT', 'lots', 'use a size such as 512m or 2g, at most 120g'],
  ['SANDBOX_MEMORY_LIMIT', '121g', 'at most 120g'],
  ['SANDBOX_MEMORY_LIMIT', '0', 'use a size'],
  ['SANDBOX_CPU_LIMIT', '17', 'at most 16'],
  ['SANDBOX_CPU_LIMIT', '-1', 'use a number above 0'],
  ['MAX_CONTAINERS', '0', 'use a whole number of at least 1'],
  ['MAX_CONTAINERS', '1.5', 'use a whole number'],
  ['DEFAULT_TTL_SECONDS', '4', 'of at least 5 and at most 86400'],
  ['CLEANUP_RETENTION_DAYS', 'week', 'use a number of at least 0'],
  ['SANDBOX_JOURNAL', 'none', 'use wal or rollback'],
  ['SANDBOX_SECRET', 'two words', 'printable ASCII characters without spaces'],
])('refuses %s=%s, and says what is allowed', (name, value, words) => {
  expect(() => settings({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'usage', message: expect.stringContaining(words) }),
  );
  expect(() => settings({ [name]: value })).toThrow(name);
});

it('finds the smallest size that has enough of both', () => {
  for (const [cpu, memories] of FARGATE_SIZES)
    for (const memory of memories) {
      const found = smallestFargateSize(cpu, memory);
      expect(found).toEqual({ cpu, memory });
    }
  expect(smallestFargateSize(1, 1)).toEqual({ cpu: 256, memory: 512 });
  expect(smallestFargateSize(256, 2049)).toEqual({ cpu: 512, memory: 3072 });
  expect(smallestFargateSize(16385, 1)).toBeUndefined();
});
