import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ApiDiagnostics, SandboxClient } from '../../../sandbox/client';
import type { CliContext } from '../../context';
import { collect } from '../../global-options';
import { parseDuration } from '../../parse/duration';
import { keyValues } from '../../parse/key-value';
import { parseCpu, parseMemory } from '../../parse/size';
import { createProgress } from '../../progress/create-progress';
import type { Progress } from '../../progress/progress';
import type { Runner } from '../../runner';
import type { CreateStep, TaskState } from '../../../hosts/model/types';
import { pause } from '../../../util/abort';
import { withService } from './connection';

interface CreateOptions {
  readonly ttl?: string;
  readonly image?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly metadata?: readonly string[];
  readonly wait: boolean;
}

/** Between two looks at a sandbox that is being made. Milliseconds. */
const LOOK_MS = 500;
/** For the end of a sandbox that was given up with Ctrl-C. Milliseconds. */
const CLEAN_UP_MS = 15_000;

async function create(context: CliContext, id: string | undefined, options: CreateOptions): Promise<void> {
  const { ttl, image, cpu, memory, metadata, wait } = options;
  const request = {
    id: id ?? randomUUID(),
    ttlSeconds: ttl === undefined ? undefined : parseDuration(ttl, '--ttl', { least: 5 }),
    image,
    cpu: cpu === undefined ? undefined : parseCpu(cpu),
    memory: memory === undefined ? undefined : parseMemory(memory),
    metadata: metadata === undefined ? undefined : keyValues(metadata, '--metadata'),
    wait,
  };
  const made = await withService(context, (client) =>
    withProgress(context, client, request.id, async () => {
      try {
        return await client.create({ ...request, signal: context.signal });
      } catch (error) {
        if (context.signal.aborted) await giveUp(client, request.id);
        throw error;
      }
    }),
  );
  context.result(made.info, () => `${made.id}\n`);
}

/** What Ctrl-C leaves behind goes on costing: the create may have come through. */
async function giveUp(client: SandboxClient, id: string): Promise<void> {
  const signal = AbortSignal.timeout(CLEAN_UP_MS);
  await client.connect(id, { signal }).then(
    (sandbox) => sandbox.destroy({ signal }),
    () => undefined,
  );
}

/** Shows the progress of the host while `work` waits for it. */
async function withProgress<Result>(
  context: CliContext,
  client: SandboxClient,
  id: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const progress = createProgress(context.io, [id], 'text');
  const done = new AbortController();
  const began = performance.now();
  const watching = watch(client, id, progress, began, done.signal);
  try {
    const result = await work();
    progress.finish(id, 'ready');
    return result;
  } catch (error) {
    progress.finish(id, 'failed');
    throw error;
  } finally {
    done.abort();
    await watching;
    progress.close();
  }
}

async function watch(
  client: SandboxClient,
  id: string,
  progress: Progress,
  began: number,
  signal: AbortSignal,
): Promise<void> {
  progress.update({ name: id, step: 'run-task', state: null, taskArn: null, elapsedMs: 0 });
  try {
    for (;;) {
      await pause(LOOK_MS, 'looking', signal);
      // Until the service has stored it there is nothing to see.
      const found = await client
        .connect(id, { signal })
        .then((sandbox) => sandbox.diagnostics({ signal }))
        .catch(() => undefined);
      if (found === undefined) continue;
      const state = found.taskState as TaskState | null;
      progress.update({
        ...{ name: id, step: stepOf(found), state, taskArn: found.taskArn },
        elapsedMs: performance.now() - began,
      });
    }
  } catch {
    // The create has ended.
  }
}

function stepOf({ stages }: ApiDiagnostics): CreateStep {
  if (stages.ready !== undefined) return 'ready';
  if (stages.ssh !== undefined) return 'setup';
  if (stages.address !== undefined) return 'ssh';
  return stages.task === undefined ? 'run-task' : 'address';
}

/** `sandbox create [ID]` */
export function createCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('create')
    .description('create a sandbox and print its id')
    .argument('[id]', 'its id (default: a new one)')
    .option('--ttl <duration>', "end it after this time without use (default: the service's)")
    .option('--image <uri>', "image to use (default: the service's)")
    .option('--cpu <size>', 'CPU units (1024) or vCPU (1vcpu)')
    .option('--memory <size>', 'MiB (4096) or GB (4GB)')
    .option('--metadata <key=value>', 'a label to find it by; repeatable', collect)
    .option('--no-wait', 'return at once; the first command waits until it is ready')
    .action(runner.action(create));
}
