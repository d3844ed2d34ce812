import { join } from 'node:path';
import { SANDBOX_TAGS } from '../../../lib/sandbox/core/session-hosts';
import { SqliteStore } from '../../../lib/sandbox/store';
import type { BenchEndpoint } from '../endpoint';

const HOUR_MS = 60 * 60 * 1000;

/**
 * Puts sessions into the state of a service that doesn't run, and tasks for them into the endpoint: to the service they are
 * ready, and nobody answers in them. They belong to the default tenant, as those of the operator's key do.
 */
export async function seedSessions(dataDirectory: string, endpoint: BenchEndpoint, count: number): Promise<void> {
  const store = await SqliteStore.open({ file: join(dataDirectory, 'sandbox.db') });
  try {
    await endpoint.seed({
      count,
      startedBy: 'mngr/sandbox/seeded-{n}',
      tags: {
        'mngr-provider': 'sandbox',
        [SANDBOX_TAGS.service]: store.serviceId,
        [SANDBOX_TAGS.generation]: 'seeded-{n}',
      },
    });
    const at = Date.now();
    for (let number = 1; number <= count; number++) {
      const name = `seeded-${number}`;
      await store.createSession(
        {
          ...{ tenant: 'default', id: name, generation: name, keyId: 'seed', hostName: name },
          ...{ createdAt: at, endsAt: at + 24 * HOUR_MS, ttlSeconds: 3600, image: null, cpu: 256, memory: 512 },
          metadata: { number: String(number) },
        },
        { all: Infinity, ofKey: Infinity },
      );
      await store.recordHost(name, { ready: true });
    }
  } finally {
    await store.close();
  }
}
