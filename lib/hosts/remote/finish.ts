import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { HOST_TAGS } from '../../contract/tags';
import { isLasting } from '../ecs/aws-errors';
import { run } from '../../ssh';
import { pause } from '../../util/abort';
import type { Background } from '../../util/background';
import type { HostRecord } from './key-store';
import type { Services } from '../services';
import { setupScript } from './setup-script';
import type { HostAddress } from '../model/types';

/**
 * How long a create waits for TagResource after all else is done. In a fleet the tags queue for AWS's bucket, and a
 * host that can be used need not wait for its label. Milliseconds.
 */
const TAG_PATIENCE = 150;
/** How long the tag is tried for against failures other than throttling, and how often. Milliseconds. */
const TAG_PERSISTENCE = 120_000;
const TAG_INTERVAL = 2_000;

/** Sets up a host whose key has been verified, pins the key, and says so in ECS. */
export async function finishHost(
  services: Services,
  record: HostRecord,
  channel: HostChannel,
  address: HostAddress,
  background: Background,
  signal?: AbortSignal,
): Promise<{ readonly readyAt: string; readonly record: HostRecord }> {
  const finished: HostRecord = { ...record, nonce: null, setup: null };
  // Both end before a failure is thrown: what cleans up afterwards must not race with a file being written.
  const outcomes = await Promise.allSettled([
    setUp(channel, record, signal),
    services.keys.pin(record.hostId, address.host, address.port, channel.hostKey),
  ]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  // A launcher that dies between the two leaves a host that its next use sets up once more, which does no harm.
  const readyAt = new Date(services.tasks.now()).toISOString();
  await Promise.all([services.keys.save(finished), markReady(services, record, readyAt, background)]);
  return { readyAt, record: finished };
}

/** Waits a moment for the tag, and leaves the rest of the wait to `close`. Throws where AWS refuses the tag at once. */
export async function markReady(
  services: Services,
  record: HostRecord,
  readyAt: string,
  background: Background,
): Promise<void> {
  const tagging = tagReady(services, record, readyAt);
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), TAG_PATIENCE);
  });
  try {
    if ((await Promise.race([tagging, patience])) === 'late')
      background.add(tagging.catch((error: unknown) => tellLate(record, error)));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Writes the tag, against failures that may pass. A host without it counts as one whose launcher has died, which the
 * reaper stops; so a tag that can't be written is told.
 */
async function tagReady(services: Services, record: HostRecord, readyAt: string): Promise<void> {
  const started = performance.now();
  for (;;) {
    try {
      return await services.tasks.tag(record.taskArn ?? '', { [HOST_TAGS.readyAt]: readyAt });
    } catch (error) {
      if (isLasting(error) || performance.now() - started > TAG_PERSISTENCE) throw error;
      await pause(TAG_INTERVAL, `marking host ${record.name} as ready`);
    }
  }
}

/**
 * Says what came of the tag after its host had been handed over. Nothing when the host was destroyed in the meantime: it
 * needs none, and ECS takes none for a task that has stopped.
 */
function tellLate({ name }: HostRecord, error: unknown): void {
  const code = isMngrFargateError(error) ? error.code : 'failed';
  if (code === 'not-found' || code === 'usage') return;
  throw new MngrFargateError(code, `host ${name} could not be marked as ready: ${(error as Error).message}`, {
    cause: error,
    hint: `use it once more, for example \`mngr-fargate exec ${name} -- true\`: the reaper stops hosts that were never marked`,
  });
}

async function setUp(channel: HostChannel, record: HostRecord, signal?: AbortSignal): Promise<void> {
  if (record.setup === null) return;
  const script = setupScript(record.name, record.setup);
  if (script === null) return;
  const result = await run(channel, 'sh -s', { stdin: script, signal });
  if (result.exitCode === 0) return;
  const output = result.stderr.trim() || result.stdout.trim();
  throw new MngrFargateError(
    'failed',
    `cannot set up host ${record.name}: ${output || `its script ended with ${result.exitCode ?? result.signal}`}`,
    { details: { exitCode: result.exitCode, stderr: result.stderr } },
  );
}
