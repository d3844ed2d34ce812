import { LOG_EVENTS } from '../../contract/log-events';
import { awsProblem } from '../../aws/aws-errors';
import { AwsClients } from '../../aws/clients';
import { EcsClient, REAPER_SHARE } from '../../aws/ecs-client';
import { Tasks } from '../ecs/tasks';
import { KeyStore } from '../remote/key-store';
import { clusterNameOf } from '../../contract/task-arn';
import { familyOf } from '../../contract/task-definition-family';
import { arnOf, TaskDefinitions } from '../ecs/task-definitions';
import type { CallOptions, HostsOptions } from '../model/types';
import { ImageRevisions } from './image-revisions';
import type { LogEvent } from './journal';
import { KeyFolders } from './key-folders';
import type { RecordScope } from './key-folders';
import { reap } from './reap';
import { defaultRules } from './rules';

export interface CollectOptions extends CallOptions {
  /** Changes nothing, and returns what would be done. */
  readonly dryRun?: boolean;
  /** Also stops tasks of the family that have none of our tags. Default false. */
  readonly stopUntagged?: boolean;
  /** Limits the work to these task ARNs and leftover ids, as confirmed by a person. Default: everything. */
  readonly only?: ReadonlySet<string>;
}

/** One task that was stopped or reported. */
export interface CollectedTask {
  readonly taskArn: string;
  readonly host: string | null;
  readonly hostId: string | null;
  readonly provider: string | null;
  readonly reason: string;
  /** The reason, for people to read. */
  readonly because: string;
}

export interface CollectedLeftover {
  /** `task-definition-revision`, or `key-folder` on this machine. */
  readonly kind: string;
  /** ARN of the revision, or host id of the folder. */
  readonly id: string;
  readonly because: string;
}

/** What was done, or in a dry run what would have been done. */
export interface Collected {
  readonly dryRun: boolean;
  /** Whether every live task of the family was seen. */
  readonly complete: boolean;
  readonly stopped: readonly CollectedTask[];
  /** Tasks with something wrong or unclear, which were left alone. */
  readonly reported: readonly CollectedTask[];
  readonly removed: readonly CollectedLeftover[];
  readonly failed: readonly { readonly id: string; readonly error: string }[];
  /** Kinds of leftovers that were not looked for, usually because the credentials don't allow it. */
  readonly notLookedAt: readonly { readonly kind: string; readonly because: string }[];
}

/**
 * Does on request what the reaper does on its schedule, by the same rules, and removes this machine's key folders of hosts
 * that no longer exist. Throws `denied`, `not-found`, `unreachable`, `aborted` or `failed` if the tasks can't be listed.
 */
export async function collectGarbage(options: HostsOptions, request: CollectOptions = {}): Promise<Collected> {
  const { config } = options;
  const { dryRun = false, stopUntagged = false, only, signal } = request;
  const clients = new AwsClients(config, options.aws);
  try {
    const family = familyOf(config.task_definition);
    const ecs = new EcsClient(clients, REAPER_SHARE);
    const tasks = new Tasks(ecs, config.ecs_cluster);
    const scope = (): Promise<RecordScope> => recordScope(options, ecs);
    const notices: LogEvent[] = [];
    const { complete, problem } = await reap(tasks, {
      dryRun,
      only,
      signal,
      rules: { ...defaultRules(family), stopUntagged },
      place: { region: config.aws_region, publicIp: config.assign_public_ip },
      leftovers: [new ImageRevisions(ecs, family), new KeyFolders(new KeyStore(options.keyDirectory), tasks, scope)],
      tell: (notice) => notices.push(notice),
    });
    signal?.throwIfAborted();
    if (problem !== undefined) throw problem;
    return { dryRun, complete, ...sorted(notices) };
  } catch (error) {
    throw awsProblem(error, `look for what hosts have left behind`, signal);
  } finally {
    clients.destroy();
  }
}

/** Where this provider's tasks run. The account is the one that the task definition is in. */
async function recordScope({ config, provider = 'fargate' }: HostsOptions, ecs: EcsClient): Promise<RecordScope> {
  const base = await new TaskDefinitions(ecs, config).base();
  const [, , , region = '', account = ''] = arnOf(base).split(':');
  return { provider, region, account, cluster: clusterNameOf(config.ecs_cluster) };
}

function sorted(notices: readonly LogEvent[]): Omit<Collected, 'dryRun' | 'complete'> {
  const of = <Kind>(...names: readonly string[]): Kind[] =>
    notices
      .filter(({ notice }) => names.includes(notice))
      .map(({ notice: _, ...members }) => members as unknown as Kind);
  const failures = of<{ taskArn?: string; id?: string; error: string }>(
    LOG_EVENTS.stopFailed,
    LOG_EVENTS.leftoverFailed,
    LOG_EVENTS.callFailed,
  );
  return {
    stopped: of<CollectedTask>(LOG_EVENTS.stopped, LOG_EVENTS.wouldStop),
    reported: of<CollectedTask>(LOG_EVENTS.reported),
    removed: of<CollectedLeftover>(LOG_EVENTS.leftoverRemoved, LOG_EVENTS.leftoverWouldGo),
    failed: failures.map(({ taskArn, id, error }) => ({ id: taskArn ?? id ?? '', error })),
    notLookedAt: of<{ kind: string; because: string }>(LOG_EVENTS.leftoversSkipped),
  };
}
