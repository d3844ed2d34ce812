import { createHash } from 'node:crypto';
import { DescribeTaskDefinitionCommand, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
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

  private async findBase(): Promise<TaskDefinition> {
    const newest = await this.fetch(this.config.task_definition);
    const label = this.labels(newest)[BASE_LABEL];
    if (label === undefined) return newest;
    const base = await this.fetch(label);
    return base.status === 'INACTIVE' ? this.newestOfStack(newest) : base;
  }

  /** The newest active revision with the stack's own image, older than one whose base was taken back by a rollback. */
  private async newestOfStack({ family = '', revision: newest = 0 }: TaskDefinition): Promise<TaskDefinition> {
    for (let revision = newest - 1; revision > Math.max(0, newest - MOST_REVISIONS); revision--) {
      const candidate = await this.fetch(`${family}:${revision}`).catch((error: unknown) => {
        if (isMngrFargateError(error) && error.code === 'not-found') return undefined;
        throw error;
      });
      if (candidate?.status === 'ACTIVE' && this.labels(candidate)[BASE_LABEL] === undefined) return candidate;
    }
    throw new MngrFargateError('not-found', `task definition family ${family} has no active revision of the stack`, {
      hint: 'deploy the environment again',
    });
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
      definition = this.fetch(taskDefinition);
      this.known.set(taskDefinition, definition);
      definition.catch(() => this.known.delete(taskDefinition));
    }
    return definition;
  }

  private async fetch(taskDefinition: string): Promise<TaskDefinition> {
    const command = new DescribeTaskDefinitionCommand({ taskDefinition });
    const answer = await this.ecs.send(command, `read task definition ${taskDefinition}`);
    return answer.taskDefinition as TaskDefinition;
  }

  /**
   * The revision of the family that differs only in its image. The newest revision remembers those that were registered
   * since the stack's own, so an image that was used before needs no new one.
   */
  private async override(base: TaskDefinition, image: string): Promise<string> {
    const newest = await this.fetch(familyOf(this.config.task_definition));
    if (this.container(base).image === image) return arnOf(base);
    const remembered = this.remembered(newest, base);
    const hash = imageHash(image);
    const earlier = remembered[hash];
    if (earlier === 'self') return arnOf(newest);
    if (earlier !== undefined) return `${arnOf(base).replace(/:\d+$/, '')}:${earlier}`;

    const kept = Object.entries({ ...remembered }).slice(-REMEMBERED);
    const others = kept.map(([key, value]) => [key, value === 'self' ? String(newest.revision) : value]);
    return this.register(base, image, { ...Object.fromEntries(others), [hash]: 'self' });
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
    return JSON.parse(labels[OVERRIDES_LABEL] ?? '{}') as Record<string, string>;
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
