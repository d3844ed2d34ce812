import type { CreateServiceRequest, Deployment, ServiceEvent, Tag } from '@aws-sdk/client-ecs';

/** What tasks of a deployment are launched with. */
export type LaunchSettings = Pick<
  CreateServiceRequest,
  'launchType' | 'capacityProviderStrategy' | 'platformVersion' | 'networkConfiguration'
>;

/** One attempt to bring a service's tasks to one state; its id is their `startedBy`. */
export interface ServiceDeployment extends LaunchSettings {
  /** `ecs-svc/<digits>` */
  readonly id: string;
  /** ARN */
  readonly taskDefinition: string;
  readonly createdAt: Date;
  updatedAt: Date;
  rolloutState: Deployment['rolloutState'];
  rolloutStateReason: string;
  /** Tasks in a row that never reached RUNNING. */
  failedTasks: number;
}

/** A service as requested, and its progress. */
export interface ServiceRecord {
  readonly name: string;
  readonly cluster: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** The call that created it, to recognize a repetition. */
  readonly createdWith: string;
  /** From a template: the resource, and what the template said. */
  readonly template?: { readonly logicalId: string; readonly properties: string };
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  desiredCount: number;
  enableExecuteCommand: boolean;
  enableECSManagedTags: boolean;
  propagateTags: CreateServiceRequest['propagateTags'];
  deploymentConfiguration: NonNullable<CreateServiceRequest['deploymentConfiguration']>;
  loadBalancers: CreateServiceRequest['loadBalancers'];
  tags: Tag[];
  /** The primary one first. */
  deployments: ServiceDeployment[];
  /** The newest first. */
  events: ServiceEvent[];
}

export const keyOf = ({ cluster, name }: Pick<ServiceRecord, 'cluster' | 'name'>): string => `${cluster}/${name}`;

/** `group` of a service's tasks. */
export const groupOf = (name: string): string => `service:${name}`;

/** The service that a task's group names; undefined for a task without a service. */
export const serviceOfGroup = (group: string | undefined): string | undefined =>
  group?.startsWith('service:') === true ? group.slice('service:'.length) : undefined;

export const primaryOf = (record: ServiceRecord): ServiceDeployment => {
  const [primary] = record.deployments;
  if (primary === undefined) throw new Error(`the service ${record.name} has no deployment`);
  return primary;
};
