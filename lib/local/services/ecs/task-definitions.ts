import { createHash } from 'node:crypto';
import type { RegisterTaskDefinitionRequest, Tag, TaskDefinition } from '@aws-sdk/client-ecs';
import type { Clock } from '../../state/clock';
import type { Collection, Store } from '../../state/store';
import { stringify } from '../../state/json-dates';
import type { World } from '../../world';
import { EcsArns } from './arns';

export interface RegisteredDefinition {
  readonly definition: TaskDefinition;
  tags: Tag[];
  /** Hash of what the template said, for the definitions that come from it. */
  readonly templateHash?: string;
}

/** Revisions of task definitions, from the template and from RegisterTaskDefinition. */
export class TaskDefinitions {
  private readonly registered: Collection<RegisteredDefinition>;

  constructor(
    store: Store,
    private readonly clock: Clock,
    private readonly arns: EcsArns,
  ) {
    this.registered = store.collection<RegisteredDefinition>('taskDefinitions');
  }

  register(request: RegisterTaskDefinitionRequest, registeredBy: string, templateHash?: string): RegisteredDefinition {
    const { family = '', tags, ...settings } = request;
    const revision = this.latestRevision(family) + 1;
    const taskDefinitionArn = this.arns.taskDefinition(family, revision);
    const fargate = request.requiresCompatibilities?.includes('FARGATE') === true;
    const entry: RegisteredDefinition = {
      definition: {
        ...settings,
        family,
        revision,
        taskDefinitionArn,
        status: 'ACTIVE',
        compatibilities: fargate ? ['EC2', 'FARGATE'] : ['EC2'],
        requiresAttributes: [],
        placementConstraints: request.placementConstraints ?? [],
        volumes: request.volumes ?? [],
        registeredAt: this.clock.now(),
        registeredBy,
      },
      tags: tags ?? [],
      templateHash,
    };
    this.registered.set(taskDefinitionArn, entry);
    return entry;
  }

  /** Registers what the template says, or finds the revision that an earlier start registered for the same. */
  registerFromTemplate(request: RegisterTaskDefinitionRequest, registeredBy: string): RegisteredDefinition {
    const templateHash = createHash('sha256').update(stringify(request)).digest('hex');
    const known = [...this.registered.values()].find(
      (entry) => entry.templateHash === templateHash && entry.definition.family === request.family,
    );
    return known ?? this.register(request, registeredBy, templateHash);
  }

  /** By family (its latest active revision), `family:revision` or ARN. */
  find(reference: string): RegisteredDefinition | undefined {
    const name = reference.includes(':task-definition/') ? (reference.split(':task-definition/')[1] ?? '') : reference;
    const [family = '', revision] = name.split(':');
    if (revision !== undefined) {
      return this.registered.get(this.arns.taskDefinition(family, Number(revision)));
    }
    return this.ofFamily(family).findLast(({ definition }) => definition.status === 'ACTIVE');
  }

  deregister(entry: RegisteredDefinition): void {
    entry.definition.status = 'INACTIVE';
    entry.definition.deregisteredAt = this.clock.now();
    this.save(entry);
  }

  save(entry: RegisteredDefinition): void {
    this.registered.set(entry.definition.taskDefinitionArn ?? '', entry);
  }

  /** In order of their revisions. */
  ofFamily(family: string): RegisteredDefinition[] {
    return [...this.registered.values()]
      .filter(({ definition }) => definition.family === family)
      .sort((a, b) => (a.definition.revision ?? 0) - (b.definition.revision ?? 0));
  }

  families(): string[] {
    return [...new Set([...this.registered.values()].map(({ definition }) => definition.family ?? ''))].sort();
  }

  private latestRevision(family: string): number {
    return this.ofFamily(family).at(-1)?.definition.revision ?? 0;
  }
}

export const taskDefinitions = ({ store, clock, place }: World): TaskDefinitions =>
  new TaskDefinitions(store, clock, new EcsArns(place));
