import { createHash } from 'node:crypto';
import type {
  DescribeTasksCommandInput,
  ListTasksCommandInput,
  RunTaskCommandInput,
  StopTaskCommandInput,
  TagResourceCommandInput,
  Task,
} from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT } from '../../../lib/contract/boot-variables';

/** One call of the SDK: its command. */
export interface Command {
  readonly constructor: { readonly name: string };
  readonly input: object;
}

export interface SimulatedTask {
  readonly task: Task;
  /** ListTasks shows it from then on. */
  readonly listedFrom: number;
  /** DescribeTasks, StopTask and TagResource find it from then on. */
  readonly foundFrom: number;
  /** Milliseconds since 1970; the container's sshd answers from then on. */
  readonly bootsAt: number;
  /** Milliseconds. */
  readonly bootLease: number;
  loggedIn: boolean;
}

const BOOT_TIME = 30_000;
const ARN = 'arn:aws:ecs:us-east-1:123456789012';

const awsError = (name: string, message: string, members: object = {}): Error =>
  Object.assign(new Error(message), { name, ...members });

/** ECS as the launcher and the reaper see it, with a clock of its own: tasks, their tags, client tokens, boot leases. */
export class SimulatedEcs {
  now = Date.parse('2026-11-21T00:00:00.000Z');
  readonly tasks = new Map<string, SimulatedTask>();
  /** How late ListTasks shows a new task. Milliseconds. */
  listDelay = 0;
  /** How late all other calls find a new task: it is not found until then. Milliseconds. */
  lookDelay = 0;
  private tokens = new Map<string, { readonly arn: string; readonly request: string }>();

  /** What ECS answers; throws its errors. */
  answer({ constructor: { name }, input }: Command): object {
    switch (name) {
      case 'RunTaskCommand':
        return this.runTask(input as RunTaskCommandInput);
      case 'ListTasksCommand':
        return this.listTasks(input as ListTasksCommandInput);
      case 'DescribeTasksCommand':
        return this.describeTasks(input as DescribeTasksCommandInput);
      case 'StopTaskCommand':
        return this.stopTask(input as StopTaskCommandInput);
      case 'TagResourceCommand':
        return this.tagResource(input as TagResourceCommandInput);
      default:
        throw new Error(`the simulation has no ${name}`);
    }
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    for (const { task, bootsAt, bootLease, loggedIn } of this.live()) {
      if (task.startedAt === undefined && this.now >= bootsAt) {
        Object.assign(task, { lastStatus: 'RUNNING', startedAt: new Date(bootsAt) });
      }
      if (!loggedIn && bootLease > 0 && this.now >= bootsAt + bootLease) this.end(task);
    }
  }

  live(): SimulatedTask[] {
    return [...this.tasks.values()].filter(({ task }) => task.desiredStatus === 'RUNNING');
  }

  /** The day for which ECS remembers client tokens is over. */
  forgetTokens(): void {
    this.tokens = new Map();
  }

  private runTask({ clientToken = '', ...request }: RunTaskCommandInput): object {
    const known = this.tokens.get(clientToken);
    const text = JSON.stringify(request);
    if (known !== undefined && known.request !== text) {
      throw awsError('ConflictException', 'another task has the token', { resourceIds: [known.arn] });
    }
    if (known !== undefined) return { tasks: [this.tasks.get(known.arn)?.task], failures: [] };
    const id = createHash('md5').update(String(this.tasks.size)).digest('hex');
    const arn = `${ARN}:task/mngr/${id}`;
    const lease = request.overrides?.containerOverrides?.[0]?.environment?.find(
      ({ name }) => name === BOOT_ENVIRONMENT.bootLeaseSeconds,
    )?.value;
    const task: Task = {
      taskArn: arn,
      taskDefinitionArn: `${ARN}:task-definition/mngr-task:1`,
      createdAt: new Date(this.now),
      desiredStatus: 'RUNNING',
      lastStatus: 'PENDING',
      group: 'family:mngr-task',
      cpu: '1024',
      memory: '4096',
      startedBy: request.startedBy,
      overrides: request.overrides,
      tags: request.tags,
    };
    this.tasks.set(arn, {
      task,
      listedFrom: this.now + this.listDelay,
      foundFrom: this.now + this.lookDelay,
      bootsAt: this.now + BOOT_TIME,
      bootLease: Number(lease ?? 600) * 1000,
      loggedIn: false,
    });
    this.tokens.set(clientToken, { arn, request: text });
    return { tasks: [task], failures: [] };
  }

  private listTasks({ startedBy, desiredStatus = 'RUNNING' }: ListTasksCommandInput): object {
    const found = [...this.tasks.values()].filter(
      ({ task, listedFrom }) =>
        this.now >= listedFrom &&
        task.desiredStatus === desiredStatus &&
        (startedBy === undefined || task.startedBy === startedBy),
    );
    return { taskArns: found.map(({ task }) => task.taskArn) };
  }

  /** Copies: what a caller holds doesn't change behind its back. */
  private describeTasks({ tasks: arns = [] }: DescribeTasksCommandInput): object {
    const found = arns.flatMap((arn) => this.find(arn)?.task ?? []);
    const missing = arns.filter((arn) => this.find(arn) === undefined);
    return {
      tasks: found.map((task) => ({ ...task, tags: task.tags?.map((tag) => ({ ...tag })) })),
      failures: missing.map((arn) => ({ arn, reason: 'MISSING' })),
    };
  }

  private stopTask({ task: arn = '' }: StopTaskCommandInput): object {
    const found = this.find(arn);
    if (found === undefined) throw awsError('InvalidParameterException', 'The referenced task was not found.');
    this.end(found.task);
    return { task: found.task };
  }

  private tagResource({ resourceArn = '', tags = [] }: TagResourceCommandInput): object {
    const found = this.find(resourceArn);
    if (found === undefined || found.task.desiredStatus === 'STOPPED') {
      throw awsError(
        'InvalidParameterException',
        'The specified task is stopped. Specify a running task and try again.',
      );
    }
    const all = new Map(found.task.tags?.map(({ key, value }) => [key, value]));
    for (const { key, value } of tags) all.set(key, value);
    found.task.tags = [...all].map(([key, value]) => ({ key, value }));
    return {};
  }

  private find(arn: string): SimulatedTask | undefined {
    const found = this.tasks.get(arn);
    return found !== undefined && this.now >= found.foundFrom ? found : undefined;
  }

  /** ECS drops the tags of a task that it is told to stop. */
  private end(task: Task): void {
    Object.assign(task, { desiredStatus: 'STOPPED', lastStatus: 'STOPPED', tags: [] });
  }
}
