import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { DescribeTaskDefinitionCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import type { ContainerDefinition, RegisterTaskDefinitionCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { STACK_REVISION_TAG } from '../../contract/tags';
import type { ProviderConfig } from '../../contract/provider-config';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { familyOf } from '../../contract/task-definition-family';
import type { EcsClient } from '../../aws/ecs-client';

/** Docker labels of the agent container that tell a revision with another image from those that the stack registers. */
export const BASE_LABEL = 'mngr-fargate.base-revision';
export const OVERRIDES_LABEL = 'mngr-fargate.image-revisions';
/** The most images that one revision remembers; a label's value has no documented limit, a task definition has 64 KiB. */
const REMEMBERED = 50;

/**
 * What a family means is asked for again after this time: a deployment can change it at any moment. Short enough for that,
 * long enough for a fleet's creates to share a call. Milliseconds.
 */
const MEANING_FOR_MS = 10_000;
/** Revisions that are looked at, downwards from the newest, for the one that the stack means. */
const MOST_REVISIONS = 200;

const imageHash = (image: string): string => createHash('sha256').update(image).digest('hex').slice(0, 16);

interface Described {
  readonly definition: TaskDefinition;
  /** Whether the environment's stack registered it. */
  readonly isStacks: boolean;
}

/** The task definition to run: the provider's, or a revision of its family with another image. */
export class TaskDefinitions {
  private readonly known = new Map<string, Promise<TaskDefinition>>();
  private readonly overrides = new Map<string, Promise<string>>();
  private meaning: { readonly base: Promise<TaskDefinition>; readonly until: number } | undefined;

  constructor(
    private readonly ecs: EcsClient,
    private readonly config: ProviderConfig,
  ) {}

  /** ARN of the revision to run for an image, or for the provider's own. */
  async revisionFor(image: string | undefined): Promise<string> {
    const base = await this.base();
    if (image === undefined) return arnOf(base);
    const key = `${arnOf(base)} ${image}`;
    let override = this.overrides.get(key);
    if (override === undefined) {
      override = this.override(base, image);
      this.overrides.set(key, override);
      override.catch(() => this.overrides.delete(key));
    }
    return override;
  }

  /**
   * What the provider's `task_definition` means now: a family's newest revision, but never one with an overridden image,
   * nor one that a deployment has taken back.
   */
  base(): Promise<TaskDefinition> {
    if (this.meaning === undefined || performance.now() > this.meaning.until) {
      const base = this.findBase();
      this.meaning = { base, until: performance.now() + MEANING_FOR_MS };
      base.catch(() => (this.meaning = undefined));
    }
    return this.meaning.base;
  }

  /**
   * Operators may register revisions of the family, with any image. Only the stack can tag one, so that its own is found
   * among them. A revision that the provider names is taken as it is.
   */
  private async findBase(): Promise<TaskDefinition> {
    const { task_definition: meant } = this.config;
    const newest = await this.fetch(meant);
    if (/:\d+$/.test(meant) || newest.isStacks) return newest.definition;
    const label = this.labels(newest.definition)[BASE_LABEL];
    const base = label?.startsWith(familyArnOf(newest.definition)) ? await this.fetchIfThere(label) : undefined;
    if (base?.isStacks && base.definition.status === 'ACTIVE') return base.definition;
    return this.newestOfStack(newest, base?.definition);
  }

  /**
   * The newest active revision that the stack registered. An environment that was deployed before stacks tagged theirs has
   * none; there it is the base of the newest revision, or the newest one that isn't an override.
   */
  private async newestOfStack(newest: Described, labelled: TaskDefinition | undefined): Promise<TaskDefinition> {
    const { family = '', revision: last = 0 } = newest.definition;
    let untagged = labelled?.status === 'ACTIVE' ? labelled : undefined;
    let isTagged = false;
    for (let revision = last; revision > 0; revision--) {
      if (revision <= last - MOST_REVISIONS) throw noRevision(family, `among its newest ${MOST_REVISIONS}`);
      const candidate = revision === last ? newest : await this.fetchIfThere(`${family}:${revision}`);
      if (candidate === undefined) continue;
      const { definition, isStacks } = candidate;
      const isActive = definition.status === 'ACTIVE';
      if (isStacks && isActive) return definition;
      isTagged ||= isStacks;
      if (isActive && this.labels(definition)[BASE_LABEL] === undefined) untagged ??= definition;
    }
    if (untagged === undefined || isTagged) throw noRevision(family, 'any more');
    return untagged;
  }

  /** The account that the provider's credentials work in; undefined where the task definition can't be read. */
  account(): Promise<string | undefined> {
    return this.describe(this.config.task_definition).then(
      ({ taskDefinitionArn }) => taskDefinitionArn?.split(':')[4],
      () => undefined,
    );
  }

  /** A task definition by family, `family:revision` or ARN. Each is read once. */
  describe(taskDefinition: string): Promise<TaskDefinition> {
    let definition = this.known.get(taskDefinition);
    if (definition === undefined) {
      definition = this.fetch(taskDefinition).then(({ definition: found }) => found);
      this.known.set(taskDefinition, definition);
      definition.catch(() => this.known.delete(taskDefinition));
    }
    return definition;
  }

  private async fetch(taskDefinition: string): Promise<Described> {
    const command = new DescribeTaskDefinitionCommand({ taskDefinition, include: ['TAGS'] });
    const answer = await this.ecs.send(command, `read task definition ${taskDefinition}`);
    const definition = answer.taskDefinition as TaskDefinition;
    const tag = answer.tags?.find(({ key }) => key === STACK_REVISION_TAG)?.value;
    return { definition, isStacks: tag !== undefined && tag === definition.family };
  }

  /** Undefined for a revision that has been deleted. */
  private fetchIfThere(taskDefinition: string): Promise<Described | undefined> {
    return this.fetch(taskDefinition).catch((error: unknown) => {
      if (isMngrFargateError(error) && error.code === 'not-found') return undefined;
      throw error;
    });
  }

  /**
   * The revision of the family that differs only in its image. The newest revision remembers those that were registered
   * since the stack's own, so an image that was used before needs no new one. Anybody who may register a revision may have
   * written what it remembers, so the revision itself has to be as it should.
   */
  private async override(base: TaskDefinition, image: string): Promise<string> {
    if (this.container(base).image === image) return arnOf(base);
    const { definition: newest } = await this.fetch(familyOf(this.config.task_definition));
    const remembered = this.remembered(newest, base);
    const hash = imageHash(image);
    const revision = remembered[hash];
    const earlier =
      revision === undefined || revision === 'self'
        ? revision && newest
        : (await this.fetchIfThere(`${familyArnOf(base)}${revision}`))?.definition;
    if (earlier && earlier.status === 'ACTIVE' && this.differsInImageAlone(earlier, base, image)) return arnOf(earlier);

    const kept = Object.entries({ ...remembered }).slice(-REMEMBERED);
    const others = kept.map(([key, value]) => [key, value === 'self' ? String(newest.revision) : value]);
    return this.register(base, image, { ...Object.fromEntries(others), [hash]: 'self' });
  }

  private differsInImageAlone(revision: TaskDefinition, base: TaskDefinition, image: string): boolean {
    const comparable = (definition: TaskDefinition) => ({
      ...registrable(definition),
      containers: definition.containerDefinitions?.map((container): ContainerDefinition => {
        const { [BASE_LABEL]: _base, [OVERRIDES_LABEL]: _overrides, ...dockerLabels } = container.dockerLabels ?? {};
        return container.name === this.config.container_name
          ? { ...container, image, dockerLabels }
          : { ...container, dockerLabels };
      }),
    });
    const own = revision.containerDefinitions?.find(({ name }) => name === this.config.container_name);
    return own?.image === image && isDeepStrictEqual(comparable(revision), comparable(base));
  }

  private async register(base: TaskDefinition, image: string, remembered: Record<string, string>): Promise<string> {
    const agent = this.container(base);
    const labels = { ...agent.dockerLabels, [BASE_LABEL]: arnOf(base), [OVERRIDES_LABEL]: JSON.stringify(remembered) };
    const input: RegisterTaskDefinitionCommandInput = {
      ...registrable(base),
      containerDefinitions: base.containerDefinitions?.map((container) =>
        container === agent ? { ...agent, image, dockerLabels: labels } : container,
      ),
    };
    const doing = `register a revision of ${base.family} with image ${image}`;
    const answer = await this.ecs.send(new RegisterTaskDefinitionCommand(input), doing);
    return arnOf(answer.taskDefinition as TaskDefinition);
  }

  private remembered(newest: TaskDefinition, base: TaskDefinition): Record<string, string> {
    const labels = this.labels(newest);
    if (labels[BASE_LABEL] !== arnOf(base)) return {};
    return rememberedIn(labels[OVERRIDES_LABEL] ?? '{}');
  }

  private labels(definition: TaskDefinition): Record<string, string> {
    return definition.containerDefinitions?.find(({ name }) => name === this.config.container_name)?.dockerLabels ?? {};
  }

  private container(definition: TaskDefinition) {
    const { container_name: name } = this.config;
    const container = definition.containerDefinitions?.find((candidate) => candidate.name === name);
    if (container !== undefined) return container;
    const names = definition.containerDefinitions?.map((candidate) => candidate.name).join(', ');
    throw new MngrFargateError(
      'usage',
      `task definition ${arnOf(definition)} has no container ${name}, only ${names}: set \`container_name\``,
    );
  }
}

/** What a label remembers; nothing of what isn't a revision's number. */
function rememberedIn(text: string): Record<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => /^(?:self|[1-9]\d{0,9})$/.test(String(entry[1]))),
    );
  } catch {
    return {};
  }
}

const noRevision = (family: string, where: string): MngrFargateError =>
  new MngrFargateError('not-found', `task definition family ${family} has no active revision of the stack ${where}`, {
    hint: 'deploy the environment again, or name a revision in `task_definition`',
  });

/** The ARN of all revisions of the family, up to their number. */
const familyArnOf = (definition: TaskDefinition): string => arnOf(definition).replace(/\d+$/, '');

export const arnOf = (definition: TaskDefinition): string => definition.taskDefinitionArn ?? '';

/** The members of a described task definition that RegisterTaskDefinition accepts. */
function registrable(definition: TaskDefinition): Omit<RegisterTaskDefinitionCommandInput, 'containerDefinitions'> {
  const { family, taskRoleArn, executionRoleArn, networkMode, volumes, placementConstraints, cpu, memory } = definition;
  const { requiresCompatibilities, pidMode, ipcMode, proxyConfiguration, ephemeralStorage, runtimePlatform } =
    definition;
  const { enableFaultInjection } = definition;
  return {
    family,
    taskRoleArn,
    executionRoleArn,
    networkMode,
    volumes,
    placementConstraints,
    cpu,
    memory,
    requiresCompatibilities,
    pidMode,
    ipcMode,
    proxyConfiguration,
    ephemeralStorage,
    runtimePlatform,
    enableFaultInjection,
  };
}
