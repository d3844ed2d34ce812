import { startedByOf } from '../../contract/host-name';
import { orAborted } from '../../util/abort';
import type { Tasks } from './tasks';

/** Names requested within this many milliseconds are looked up together. */
const GATHER_MS = 15;
/** The same while a fleet is being created, in milliseconds: its hosts take longer than this to boot anyway. */
const FLEET_GATHER_MS = 1_000;
/** Up to this many names are looked up one by one, with one call each. */
const FEW = 4;
/** The cluster is listed instead if that takes less than this share of the calls that looking up the names would. */
const WORTH = 1 / 2;

interface Look {
  readonly launches: Set<string>;
  readonly found: Promise<ReadonlyMap<string, string[]>>;
}

/**
 * Live tasks by the name they were launched under. One name takes one ListTasks. For many names at the same time the
 * cluster is listed instead, a hundred tasks per call, if that is cheaper: otherwise the creates of a fleet would wait for
 * AWS's rate limit for reads. `startedBy` never changes, so no task is described twice.
 */
export class NameIndex {
  private readonly launchOf = new Map<string, string>();
  private look: Look | undefined;
  private last = { at: -Infinity, names: 0 };
  /** Calls that the last listing of the cluster took, or more than its limit if it was given up. */
  private listingCalls = 0;

  constructor(private readonly tasks: Tasks) {}

  /** ARNs of the live tasks that were launched under the name, this launcher's own included. */
  async liveArns(provider: string, name: string, signal?: AbortSignal): Promise<string[]> {
    const launch = startedByOf(provider, name);
    this.look ??= this.nextLook();
    this.look.launches.add(launch);
    const found = await orAborted(this.look.found, `looking for hosts named ${name}`, signal);
    return found.get(launch) ?? [];
  }

  /** Records a task that this launcher has started. */
  remember(arn: string, startedBy: string): void {
    this.launchOf.set(arn, startedBy);
  }

  private nextLook(): Look {
    const launches = new Set<string>();
    const inFleet = this.last.names > FEW && performance.now() - this.last.at < FLEET_GATHER_MS;
    const found = new Promise<ReadonlyMap<string, string[]>>((resolve, reject) => {
      setTimeout(
        () => {
          this.look = undefined;
          this.last = { at: performance.now(), names: launches.size };
          this.find([...launches]).then(resolve, reject);
        },
        inFleet ? FLEET_GATHER_MS : GATHER_MS,
      );
    });
    return { launches, found };
  }

  private async find(launches: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
    const most = launches.length * WORTH;
    const listed = launches.length > FEW && this.listingCalls <= most ? await this.listing(most) : undefined;
    if (listed !== undefined) return listed;
    const found = await Promise.all(launches.map((launch) => this.tasks.liveArnsStartedBy(launch)));
    return new Map(launches.map((launch, index) => [launch, found[index] ?? []]));
  }

  /** All live tasks of the cluster by `startedBy`; undefined if that takes more calls than allowed. */
  private async listing(mostCalls: number): Promise<ReadonlyMap<string, string[]> | undefined> {
    const found = new Map<string, string[]>();
    const seen = new Set<string>();
    let calls = 0;
    for await (const arns of this.tasks.listPages({ desiredStatus: 'RUNNING' })) {
      const unknown = arns.filter((arn) => !this.launchOf.has(arn));
      calls += unknown.length > 0 ? 2 : 1;
      this.listingCalls = calls;
      if (calls > mostCalls) return undefined;
      for (const task of await this.tasks.describe(unknown)) {
        if (task.taskArn !== undefined) this.remember(task.taskArn, task.startedBy ?? '');
      }
      for (const arn of arns) {
        const launch = this.launchOf.get(arn);
        seen.add(arn);
        if (launch !== undefined) found.set(launch, [...(found.get(launch) ?? []), arn]);
      }
    }
    for (const arn of this.launchOf.keys()) if (!seen.has(arn)) this.launchOf.delete(arn);
    return found;
  }
}
