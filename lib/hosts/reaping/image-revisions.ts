import {
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  ListTaskDefinitionsCommand,
} from '@aws-sdk/client-ecs';
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { REAPER_DEFAULTS } from '../../contract/reaper';
import type { EcsClient } from '../../aws/ecs-client';
import { familyOf } from '../../contract/task-definition-family';
import { BASE_LABEL, OVERRIDES_LABEL } from '../ecs/task-definitions';
import type { Census } from './census';
import type { Leftover, LeftoverKind } from './leftovers';

/** The most revisions that one run reads for the first time; the rest are left for the next run. */
const READ_IN_A_RUN = 200;

/** The part of a revision that is kept, since revisions never change. */
interface Revision {
  readonly arn: string;
  readonly revision: number;
  /** ARN of the revision from which it differs only in its image; undefined for a revision that isn't ours. */
  readonly base: string | undefined;
  /** Numbers of the revisions of this base that launchers still use; undefined if that can't be read. */
  readonly remembered: ReadonlySet<number> | undefined;
  readonly registeredAt: number | undefined;
}

/**
 * Revisions of the family that launchers have registered for another image (docs/decisions/052). A revision is left over
 * if no live task runs it, no launcher would use it again, and it is more than a week old. Revisions without the label
 * belong to CloudFormation.
 */
export class ImageRevisions implements LeftoverKind {
  readonly kind = 'task-definition-revision';
  private readonly known = new Map<string, Revision>();

  constructor(
    private readonly ecs: EcsClient,
    private readonly family: string,
    /** Seconds. */
    private readonly minimumAge: number = REAPER_DEFAULTS.revisionAge,
  ) {}

  async find(census: Census, now: number, signal?: AbortSignal): Promise<Leftover[]> {
    const arns = await this.active(signal);
    const unread = arns.filter((arn) => !this.known.has(arn)).slice(0, READ_IN_A_RUN);
    for (const arn of unread) this.known.set(arn, await this.read(arn, signal));
    const [newest] = arns.map((arn) => this.known.get(arn));
    if (newest === undefined) return [];
    const current = newest.base ?? newest.arn;
    return arns
      .map((arn) => this.known.get(arn))
      .filter((revision) => revision !== undefined)
      .filter((revision) => revision !== newest && !census.definitionsInUse.has(revision.arn))
      .filter(({ registeredAt }) => registeredAt !== undefined && now - registeredAt > this.minimumAge * 1000)
      .flatMap((revision) => leftoverOf(revision, newest, current));
  }

  async remove({ id }: Leftover, signal?: AbortSignal): Promise<void> {
    const command = new DeregisterTaskDefinitionCommand({ taskDefinition: id });
    await this.ecs.send(command, `deregister ${id}`, { signal });
  }

  /** Newest first. */
  private async active(signal?: AbortSignal): Promise<string[]> {
    const arns: string[] = [];
    let nextToken: string | undefined;
    do {
      const input = { familyPrefix: this.family, status: 'ACTIVE', sort: 'DESC', nextToken } as const;
      const command = new ListTaskDefinitionsCommand(input);
      const page = await this.ecs.send(command, `list the revisions of ${this.family}`, { signal });
      arns.push(...(page.taskDefinitionArns ?? []));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    // The parameter is called a prefix.
    return arns.filter((arn) => familyOf(arn) === this.family);
  }

  private async read(arn: string, signal?: AbortSignal): Promise<Revision> {
    const command = new DescribeTaskDefinitionCommand({ taskDefinition: arn });
    const { taskDefinition = {} } = await this.ecs.send(command, `read task definition ${arn}`, { signal });
    return revisionOf(arn, taskDefinition);
  }
}

function leftoverOf(revision: Revision, newest: Revision, current: string): Leftover[] {
  const { arn: id, base } = revision;
  if (base === undefined) return [];
  if (base !== current) return [{ id, because: `made for another image of ${base}, which a deployment has replaced` }];
  const kept = newest.base === undefined ? new Set<number>() : newest.remembered;
  if (kept === undefined || kept.has(revision.revision)) return [];
  return [{ id, because: `made for another image of ${base}, and no launcher uses it any more` }];
}

function revisionOf(arn: string, definition: TaskDefinition): Revision {
  const labels = definition.containerDefinitions?.find(({ dockerLabels }) => dockerLabels?.[BASE_LABEL])?.dockerLabels;
  return {
    arn,
    revision: definition.revision ?? Number(arn.split(':').pop()),
    base: labels?.[BASE_LABEL],
    remembered: rememberedIn(labels?.[OVERRIDES_LABEL]),
    registeredAt: definition.registeredAt?.getTime(),
  };
}

/** The label holds `{"<hash of the image>": "<revision>" | "self"}`. */
function rememberedIn(label: string | undefined): ReadonlySet<number> | undefined {
  if (label === undefined) return undefined;
  try {
    const revisions = Object.values(JSON.parse(label) as Record<string, string>);
    return new Set(revisions.filter((revision) => revision !== 'self').map(Number));
  } catch {
    return undefined;
  }
}
