import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MngrFargateError } from '../contract/errors';
import { DEFAULT_STACK_NAME } from '../contract/outputs';
import { lockFileOf, withFileLock } from '../util/file-lock';
import { LocalFiles, defaultStateDirectory, hashAssembly } from './daemon/files';
import type { DaemonRecord } from './daemon/files';
import { askStatus, endDaemon } from './daemon/process';
import { abortedError, startDaemon } from './daemon/start';
import { DEFAULT_ACCOUNT_ID, DEFAULT_REGION } from './defaults';
import { chooseRuntime } from './runtimes';
import type { TaskRecord } from './services/ecs/task-record';
import { Store } from './state/store';

export interface LocalOptions {
  /** Where the endpoint keeps its state. Default: `$MNGR_FARGATE_LOCAL_DIR`, else `~/.mngr-fargate/local`. */
  readonly stateDirectory?: string;
}

export interface UpOptions extends LocalOptions {
  /** A synthesized `cdk.out`. */
  readonly assemblyDirectory: string;
  /** Default `mngr-fargate`. */
  readonly stackName?: string;
  /** Port on 127.0.0.1. Default: the last one if it is free, else any. */
  readonly port?: number;
  /** `auto` (default): containers where a Docker-compatible engine answers, else processes. */
  readonly runtime?: 'auto' | 'container' | 'process';
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Default `000000000000`. */
  readonly accountId?: string;
  /** Is told of progress, for example the lines of an image build. */
  readonly onProgress?: (line: string) => void;
  /** Ends the start, and what it has started. */
  readonly signal?: AbortSignal;
}

/** What a client needs to use the endpoint. */
export type LocalDescription = DaemonRecord['description'];

export interface LocalStatus {
  readonly running: boolean;
  readonly stateDirectory: string;
  /** Only present if it is running. */
  readonly endpoint?: string;
  readonly stackName?: string;
  readonly pid?: number;
  /** Number of tasks by their last status, for example `{"RUNNING": 2}`. */
  readonly tasks?: Readonly<Record<string, number>>;
  readonly runtime?: { readonly kind: string; readonly description: string };
}

/** How long another `up` or `down` may take: an image may be built meanwhile. */
const LOCK_TIMEOUT_MS = 15 * 60_000;

const DOWN_FIRST = 'run "mngr-fargate local down" first';

const filesOf = ({ stateDirectory }: LocalOptions): LocalFiles =>
  new LocalFiles(stateDirectory ?? defaultStateDirectory());

/**
 * Starts the endpoint in the background, unless it runs with the same stack already; with another stack, it is
 * restarted and its tasks keep running. Resolves when it serves and its images are built. Throws `usage` if there are
 * tasks of another runtime, `not-found` without a synthesized stack, `aborted`, and `failed` otherwise.
 */
export async function up(options: UpOptions): Promise<LocalDescription> {
  const files = filesOf(options);
  const stackName = options.stackName ?? DEFAULT_STACK_NAME;
  const assemblyHash = hashAssembly(options.assemblyDirectory, stackName);
  files.make();
  const start = async (): Promise<LocalDescription> => {
    if (options.signal?.aborted) throw abortedError(options.signal);
    const previous = files.readRecord();
    if (previous !== undefined) {
      if (suffices(previous, options, stackName, assemblyHash) && (await askStatus(previous)) !== undefined) {
        return previous.description;
      }
      await endDaemon(previous, files);
    }
    await startDaemon(
      files,
      {
        stateDirectory: files.directory,
        assemblyDirectory: options.assemblyDirectory,
        assemblyHash,
        stackName,
        region: options.region ?? DEFAULT_REGION,
        accountId: options.accountId ?? DEFAULT_ACCOUNT_ID,
        port: options.port ?? previous?.port ?? 0,
        portMayChange: options.port === undefined,
        runtime: previous?.runtime ?? options.runtime ?? 'auto',
      },
      options.onProgress ?? (() => undefined),
      options.signal,
    );
    return (files.readRecord() as DaemonRecord).description;
  };
  return withFileLock(files.lock, start, { timeoutMs: LOCK_TIMEOUT_MS, signal: options.signal });
}

/**
 * True when the endpoint of the record is what the options ask for. Throws for what can't be changed while there are
 * tasks.
 */
function suffices(previous: DaemonRecord, options: UpOptions, stackName: string, assemblyHash: string): boolean {
  const { description, runtime, port } = previous;
  const fixed = [
    { what: 'runtime', is: runtime, wanted: options.runtime === 'auto' ? undefined : options.runtime },
    { what: 'region', is: description.region, wanted: options.region },
    { what: 'account', is: description.accountId, wanted: options.accountId },
    { what: 'stack', is: description.stackName, wanted: stackName },
  ];
  for (const { what, is, wanted } of fixed) {
    if (wanted === undefined || wanted === is) continue;
    throw new MngrFargateError('usage', `the local endpoint has the ${what} ${is}, not ${wanted}`, {
      hint: DOWN_FIRST,
    });
  }
  return previous.assemblyHash === assemblyHash && (options.port === undefined || options.port === port);
}

export interface EndedEndpoint {
  readonly wasRunning: boolean;
  /** The tasks that it had, which ended with it, and those that had stopped within the last hour. */
  readonly taskArns: readonly string[];
}

/** Stops the endpoint and all its tasks, and deletes its state. Does nothing if there is none. */
export async function down(options: LocalOptions = {}): Promise<EndedEndpoint> {
  const files = filesOf(options);
  if (!existsSync(files.directory)) return { wasRunning: false, taskArns: [] };
  const end = async (): Promise<EndedEndpoint> => {
    const record = files.readRecord();
    const wasRunning = record !== undefined && (await askStatus(record)) !== undefined;
    if (record !== undefined) {
      await endDaemon(record, files);
      const runtime = await chooseRuntime({
        kind: record.runtime,
        stateDirectory: files.runtime,
        endpointId: files.endpointId,
      });
      await runtime.removeAll();
    }
    const taskArns = await recordedTaskArns(files);
    await removeAllButLock(files);
    return { wasRunning, taskArns };
  };
  const ended = await withFileLock(files.lock, end, { timeoutMs: LOCK_TIMEOUT_MS });
  // If the endpoint has been started again since, there are files in it.
  await rmdir(files.directory).catch(() => undefined);
  return ended;
}

async function recordedTaskArns(files: LocalFiles): Promise<string[]> {
  if (!existsSync(files.state)) return [];
  const store = await Store.open(files.state);
  const records = [...store.collection<TaskRecord>('tasks').values()];
  await store.close();
  return records.flatMap(({ task }) => task.taskArn ?? []);
}

/** The lock's file stays until the lock is released: anyone who found it missing would create another lock. */
async function removeAllButLock(files: LocalFiles): Promise<void> {
  const lock = basename(lockFileOf(files.lock));
  const others = (await readdir(files.directory)).filter((name) => name !== lock);
  await Promise.all(others.map((name) => rm(join(files.directory, name), { recursive: true, force: true })));
}

/** Whether the endpoint is running, and what is running on it. */
export async function status(options: LocalOptions = {}): Promise<LocalStatus> {
  const files = filesOf(options);
  const record = files.readRecord();
  const answer = record === undefined ? undefined : await askStatus(record);
  if (record === undefined || answer === undefined) return { running: false, stateDirectory: files.directory };
  return {
    running: true,
    stateDirectory: files.directory,
    endpoint: record.description.endpoint,
    stackName: record.description.stackName,
    pid: answer.pid,
    tasks: answer.tasks,
    runtime: answer.runtime,
  };
}

/** What a client needs to use the running endpoint. Throws `not-found` when none runs. */
export async function describe(options: LocalOptions = {}): Promise<LocalDescription> {
  const record = filesOf(options).readRecord();
  if (record !== undefined && (await askStatus(record)) !== undefined) return record.description;
  throw new MngrFargateError('not-found', 'the local endpoint is not running', {
    hint: 'start it: mngr-fargate local up',
  });
}

/** Environment variables that make AWS tools use the running endpoint. Throws `not-found` when none runs. */
export async function env(options: LocalOptions = {}): Promise<LocalDescription['env']> {
  return (await describe(options)).env;
}
