import { MngrFargateError } from '../contract/errors';
import { HOST_TAGS } from '../contract/tags';
import type { SshConnection } from '../ssh';
import { run } from '../ssh';
import type { HostRecord } from './key-store';
import type { Services } from './services';
import { setupScript } from './setup-script';
import type { HostAddress } from './types';

/**
 * How long a create waits for TagResource after all else is done. In a fleet the tags queue for AWS's bucket, and a
 * host that can be used need not wait for its label. Milliseconds.
 */
const TAG_PATIENCE = 150;

/** Sets up a host whose key has been verified, pins the key, and says so in ECS. */
export async function finishHost(
  services: Services,
  record: HostRecord,
  connection: SshConnection,
  address: HostAddress,
  background: Set<Promise<void>>,
  signal?: AbortSignal,
): Promise<{ readonly readyAt: string; readonly record: HostRecord }> {
  const finished: HostRecord = { ...record, nonce: null, setup: null };
  // Both end before a failure is thrown: what cleans up afterwards must not race with a file being written.
  const outcomes = await Promise.allSettled([
    setUp(connection, record, signal),
    services.keys.pin(record.hostId, address.host, address.port, connection.hostKey),
  ]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  // A launcher that dies between the two leaves a host that its next use sets up once more, which does no harm.
  const readyAt = new Date().toISOString();
  await Promise.all([services.keys.save(finished), markReady(services, record, readyAt, background)]);
  return { readyAt, record: finished };
}

/** Waits a moment for the tag; a later failure only leaves the host without its label, and the next use repeats it. */
export async function markReady(
  services: Services,
  record: HostRecord,
  readyAt: string,
  background: Set<Promise<void>>,
): Promise<void> {
  const tagging = services.tasks.tag(record.taskArn ?? '', { [HOST_TAGS.readyAt]: readyAt });
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, TAG_PATIENCE);
  });
  const quiet: Promise<void> = tagging.catch(() => undefined).finally(() => background.delete(quiet));
  background.add(quiet);
  try {
    await Promise.race([tagging, patience]);
  } finally {
    clearTimeout(timer);
  }
}

async function setUp(connection: SshConnection, record: HostRecord, signal?: AbortSignal): Promise<void> {
  if (record.setup === null) return;
  const script = setupScript(record.name, record.setup);
  if (script === null) return;
  const result = await run(connection, 'sh -s', { stdin: script, signal });
  if (result.exitCode === 0) return;
  const output = result.stderr.trim() || result.stdout.trim();
  throw new MngrFargateError(
    'failed',
    `cannot set up host ${record.name}: ${output || `its script ended with ${result.exitCode ?? result.signal}`}`,
    { details: { exitCode: result.exitCode, stderr: result.stderr } },
  );
}
