import { setTimeout as delay } from 'node:timers/promises';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { HOST_TAGS } from '../../contract/tags';
import { isLasting } from '../../aws/aws-errors';
import { run } from '../../ssh';
import { pause } from '../../util/abort';
import type { Background } from '../../util/background';
import type { HostRecord } from './key-store';
import type { Services } from '../services';
import { setupScript } from './setup-script';
import type { HostAddress } from '../model/types';

/**
 * How long a create waits for TagResource after everything else is done, once ECS has accepted a tag of this launcher. In a
 * fleet the calls queue for AWS's rate limit, and a host that is ready to use need not wait for its tag.
 */
const TAG_WAIT_MS = 150;
/** How long, and how often, the tag is retried after failures other than throttling. */
const TAG_RETRIES_MS = 120_000;
const TAG_INTERVAL_MS = 2_000;

/** A host whose key has been verified by its first connection, and what it takes to finish it. */
export interface VerifiedHost {
  readonly record: HostRecord;
  readonly channel: HostChannel;
  /** Empty if it has none. */
  readonly addresses: readonly HostAddress[];
  /** Takes over the tag if it is not written at once. */
  readonly background: Background;
  readonly signal?: AbortSignal;
}

/** Sets up the host, pins its key, and tags the task as ready. */
export async function finishHost(
  services: Services,
  { record, channel, addresses, background, signal }: VerifiedHost,
): Promise<{ readonly readyAt: string; readonly record: HostRecord }> {
  const finished: HostRecord = { ...record, nonce: null, setup: null };
  // Both must end before a failure is thrown: the cleanup that follows must not race with a file being written.
  const outcomes = await Promise.allSettled([
    setUp(channel, record, signal),
    services.keys.pin(record.hostId, addresses, channel.hostKey),
  ]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  // If the launcher dies in between, the next use of the host sets it up again, which does no harm.
  const readyAt = new Date(services.tasks.now()).toISOString();
  await Promise.all([services.keys.save(finished), markReady(services, record, readyAt, background)]);
  return { readyAt, record: finished };
}

/**
 * Waits for AWS's first answer about the tag, so that a host that may not be tagged is not returned as ready. If ECS has
 * already accepted a tag of this launcher, a moment is enough, and the rest of the wait is left to `close`.
 */
export async function markReady(
  services: Services,
  record: HostRecord,
  readyAt: string,
  background: Background,
): Promise<void> {
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const tagging = tagReady(services, record, readyAt, answer);
  let settled = false;
  tagging.then(
    () => (settled = true),
    () => (settled = true),
  );
  const trusted = services.tasks.tagAccepted.then(() => delay(TAG_WAIT_MS, undefined, { ref: false }));
  await Promise.race([tagging, answered, trusted]);
  if (!settled) background.add(tagging.catch((error: unknown) => tellLate(record, error)));
}

/**
 * Writes the tag, and retries after failures that may go away. The reaper stops a host without the tag, since its launcher
 * seems to have died; so a tag that can't be written is reported.
 */
async function tagReady(services: Services, record: HostRecord, readyAt: string, onFailure: () => void): Promise<void> {
  const started = performance.now();
  for (;;) {
    try {
      return await services.tasks.tag(record.taskArn ?? '', { [HOST_TAGS.readyAt]: readyAt });
    } catch (error) {
      if (isLasting(error) || performance.now() - started > TAG_RETRIES_MS) throw error;
      onFailure();
      await pause(TAG_INTERVAL_MS, `marking host ${record.name} as ready`);
    }
  }
}

/**
 * Throws the failure to tag a host that had already been returned to the caller. Does nothing if the host was destroyed in
 * the meantime: ECS does not tag a task that has stopped.
 */
function tellLate({ name }: HostRecord, error: unknown): void {
  const code = isMngrFargateError(error) ? error.code : 'failed';
  if (code === 'not-found' || code === 'usage') return;
  throw new MngrFargateError(code, `host ${name} could not be marked as ready: ${(error as Error).message}`, {
    cause: error,
    hint: `use it again, for example \`mngr-fargate exec ${name} -- true\`: the reaper stops hosts that were never marked`,
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
