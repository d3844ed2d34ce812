/**
 * Events of the CDK's provider framework (`aws-cdk-lib/custom-resources`, Provider). It passes CloudFormation's request
 * on to `onEvent`, and that request with all that `onEvent` returned to `isComplete`, again and again until that says
 * that it is done.
 */
export interface ResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  /** The same when CloudFormation or Lambda delivers a request twice. */
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  /** Absent in Create. Ours is the task's ARN; a request that failed early leaves one that the framework made up. */
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
}

/** What `onEvent` returns and `isComplete` finds in its event. */
export interface Begun {
  readonly PhysicalResourceId: string;
  /** False when the task ran before this request: then it is not this request's to stop. */
  readonly Launched: boolean;
  /** ISO 8601. */
  readonly BegunAt: string;
}

export type WaitingEvent = ResourceEvent & Begun;

export interface Progress {
  readonly IsComplete: boolean;
  /** The resource's attributes; only allowed when it is complete. */
  readonly Data?: Readonly<Record<string, string>>;
}

const TASK_ARN = /^arn:[\w-]+:ecs:[\w-]+:\d{12}:task\/([\w-]+)\/[\w-]+$/;

/** Name of the cluster in a task's ARN; undefined for what is no task's ARN, such as the framework's markers. */
export const clusterOf = (physicalId: string | undefined): string | undefined =>
  physicalId === undefined ? undefined : TASK_ARN.exec(physicalId)?.[1];
