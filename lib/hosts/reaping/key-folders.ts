import { inBatches } from '../../util/bounded';
import { TASKS_PER_CALL } from '../ecs/tasks';
import type { Tasks } from '../ecs/tasks';
import { parseTaskArn } from '../../contract/task-arn';
import type { TaskPlace } from '../../contract/task-arn';
import type { HostRecord, KeyStore } from '../remote/key-store';
import type { Census } from './census';
import type { Leftover, LeftoverKind } from './leftovers';

/**
 * ECS shows a stopped task for an hour at least, and a new one within minutes: what was made before that and is missing now
 * has ended. Milliseconds.
 */
const CERTAIN_AFTER = 2 * 3_600_000;

/** The records that may be removed: those of one provider, whose tasks ran where this environment's tasks run. */
export interface RecordScope extends TaskPlace {
  readonly provider: string;
}

/**
 * Key folders on this machine of hosts that no longer exist. The machine may have folders for hosts of several accounts,
 * regions and providers, so a folder is only left over if its task's ARN shows that the task ran here, and ECS no longer
 * knows the task. A record without a task ARN belongs to a launch whose outcome is unknown, and is kept.
 */
export class KeyFolders implements LeftoverKind {
  readonly kind = 'key-folder';

  constructor(
    private readonly keys: KeyStore,
    private readonly tasks: Tasks,
    private readonly scope: () => Promise<RecordScope>,
  ) {}

  async find(_census: Census, now: number, signal?: AbortSignal): Promise<Leftover[]> {
    const records = await this.keys.records();
    if (records.length === 0) return [];
    const scope = await this.scope();
    const candidates = new Map(
      records.flatMap((record) => (isCandidate(record, scope, now) ? [[record.taskArn, record] as const] : [])),
    );
    const arns = [...candidates.keys()];
    const leftovers: Leftover[] = [];
    for (const page of inBatches(arns, TASKS_PER_CALL)) {
      const { failures } = await this.tasks.describePage(page, signal);
      for (const { arn, reason } of failures) {
        const record = reason === 'MISSING' ? candidates.get(arn) : undefined;
        if (record === undefined) continue;
        leftovers.push({ id: record.hostId, because: `host ${record.name} of ${record.createdAt} is gone (${arn})` });
      }
    }
    return leftovers;
  }

  async remove({ id }: Leftover): Promise<void> {
    await this.keys.remove(id);
  }
}

type LaunchedRecord = HostRecord & { readonly taskArn: string };

function isCandidate(record: HostRecord, scope: RecordScope, now: number): record is LaunchedRecord {
  const { taskArn, provider, createdAt } = record;
  const { region, account, cluster } = parseTaskArn(taskArn ?? '') ?? {};
  return (
    provider === scope.provider &&
    region === scope.region &&
    account === scope.account &&
    cluster === scope.cluster &&
    now - Date.parse(createdAt) > CERTAIN_AFTER
  );
}
