import type { Service } from '@aws-sdk/client-ecs';
import { familyOf } from '../contract/task-definition-family';
import { mapBounded } from '../util/bounded';
import type { EcsTasks } from './ecs-tasks';
import { namedOrOnly, onlyEssential } from './implied-container';

/** A service and the container that commands mean in its tasks. */
export interface ServiceTarget {
  readonly service: string;
  /** Null where several containers are as good as each other, or the task definition may not be read. */
  readonly container: string | null;
}

const CALLS_AT_ONCE = 8;

/** The services of a cluster by name, each with its container. */
export async function serviceTargets(tasks: EcsTasks, cluster: string, signal?: AbortSignal): Promise<ServiceTarget[]> {
  const arns = await tasks.serviceArns(cluster, signal);
  const services = (await tasks.services(cluster, arns, signal)).filter(({ status }) => status !== 'INACTIVE');
  const found = await mapBounded(services, CALLS_AT_ONCE, (service) => targetOfService(tasks, service, signal));
  return found.sort((one, other) => one.service.localeCompare(other.service));
}

async function targetOfService(
  tasks: EcsTasks,
  { serviceName: service = '', taskDefinition = '' }: Service,
  signal?: AbortSignal,
): Promise<ServiceTarget> {
  const definition = await tasks.definition(taskDefinition, signal).catch(() => undefined);
  const names = definition?.containerDefinitions?.map(({ name = '' }) => name) ?? [];
  const named = namedOrOnly(names, { service, family: familyOf(taskDefinition) });
  return { service, container: named ?? (definition === undefined ? null : (onlyEssential(definition) ?? null)) };
}
