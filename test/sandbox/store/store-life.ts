import type { Store } from '../../../lib/sandbox/store';
import { end, newEvent, newSession, NO_LIMITS } from './contract';

/** What the life of a session is for a store; each step is answered for before the next one begins. */
export async function life(store: Store, answered: (what: string) => void): Promise<void> {
  const session = newSession({ id: 'life', generation: 'g' });
  const key = { tenant: 'default', key: 'create', digest: 'd', at: session.createdAt };
  await store.createSession(session, NO_LIMITS, key);
  answered('created');
  await store.recordHost('g', { taskArn: 'arn', ready: true });
  for (const seq of [1, 2]) {
    await store.submitEvent('g', newEvent());
    answered(`submitted ${seq}`);
  }
  await store.startEvent('g', 1, session.createdAt);
  await store.endEvent('g', 1, end());
  await store.forgottenByEngine('g', [1]);
  answered('ended 1');
  await store.moveSession('g', { from: ['active'], to: 'destroyed', at: session.createdAt });
  answered('destroyed');
}
