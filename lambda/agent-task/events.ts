/**
 * Events of the CDK's provider framework (`aws-cdk-lib/custom-resources`, Provider). It passes CloudFormation's request
 * to `onEvent`, then the request merged with what `onEvent` returned to `isComplete`, repeatedly until `isComplete` reports
 * that the resource is complete.
 */
export interface ResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  /** The same if CloudFormation or Lambda delivers a request twice. */
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  /** Absent in Create. Usually the task's ARN; after a request that failed early, a value that the framework made up. */
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  /** Present in Update alone. */
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>;
}

/** What `onEvent` returns, and `isComplete` receives in its event. */
export interface Begun {
  readonly PhysicalResourceId: string;
  /** False if the task was already running before this request, which then must not stop it. */
  readonly Launched: boolean;
  /** ISO 8601. */
  readonly BegunAt: string;
}

export type WaitingEvent = ResourceEvent & Begun;

export interface Progress {
  readonly IsComplete: boolean;
  /** The resource's attributes; only allowed once it is complete. */
  readonly Data?: Readonly<Record<string, string>>;
}

const TASK_ARN = /^arn:[\w-]+:ecs:[\w-]+:\d{12}:task\/([\w-]+)\/[\w-]+$/;

/** Name of the cluster in a task's ARN; undefined for anything else, such as the framework's markers. */
export const clusterOf = (physicalId: string | undefined): string | undefined =>
  physicalId === undefined ? undefined : TASK_ARN.exec(physicalId)?.[1];
