import type { Service, TaskDefinition } from '@aws-sdk/client-ecs';
import { MngrFargateError } from '../../contract/errors';
import { clusterNameOf } from '../../contract/task-arn';
import { familyOf } from '../../contract/task-definition-family';
import type { EcsTasks } from '../ecs-tasks';
import { namedOrOnly, onlyEssential, ownContainers } from '../implied-container';
import type { TaskSelector } from '../selector';
import { selectorText } from '../selector';

/** What a shell's task is made from. */
export interface ShellSource {
  readonly definition: TaskDefinition;
  /** Name of the container that the shell is in. */
  readonly container: string;
  readonly network: ShellNetwork;
}

/** Where the task runs: as the tasks of a service. */
export type ShellNetwork = Pick<
  Service,
  'networkConfiguration' | 'platformVersion' | 'launchType' | 'capacityProviderStrategy'
>;

/** A family that has no service, and the network of its tasks: that of our hosts. */
export interface OwnFamily {
  readonly family: string;
  readonly network: ShellNetwork;
}

export interface ShellSourceOptions {
  readonly own?: OwnFamily;
  readonly signal?: AbortSignal;
}

/**
 * The service and the task definition that a selector names. A family's network is that of the cluster's one service of
 * that family, unless the selector names a service as well. Throws `not-found`, and `usage` where several match.
 */
export async function shellSource(
  tasks: EcsTasks,
  selector: TaskSelector,
  { own, signal }: ShellSourceOptions = {},
): Promise<ShellSource> {
  const { family, task } = selector;
  if (task !== undefined || (selector.service === undefined && family === undefined)) {
    throw new MngrFargateError('usage', 'shell starts a new task', {
      hint: 'name the service or task definition to start it like, with --service or --family, or use connect for a running task',
    });
  }
  if (own !== undefined && selector.service === undefined && family?.split(':')[0] === own.family) {
    const definition = await tasks.definition(family, signal);
    return { definition, container: containerIn(definition, selector, ''), network: own.network };
  }
  const service = await serviceFor(tasks, selector, signal);
  const definition = await tasks.definition(family ?? service.taskDefinition ?? '', signal);
  return { definition, container: containerIn(definition, selector, service.serviceName), network: service };
}

async function serviceFor(tasks: EcsTasks, selector: TaskSelector, signal?: AbortSignal): Promise<Service> {
  const { cluster, service, family = '' } = selector;
  const names = service === undefined ? await tasks.serviceArns(cluster, signal) : [service];
  const active = (await tasks.services(cluster, names, signal)).filter(({ status }) => status !== 'INACTIVE');
  const [wanted] = family.split(':');
  const found = service === undefined ? active.filter((one) => familyOf(one.taskDefinition ?? '') === wanted) : active;
  const [first, ...others] = found;
  if (first === undefined) {
    throw new MngrFargateError(
      'not-found',
      service === undefined
        ? `cluster ${clusterNameOf(cluster)} has no service of family ${family}, whose network the task could use`
        : `cluster ${clusterNameOf(cluster)} has no service ${service.split('/').pop() ?? ''}`,
      { hint: 'name a service with --service: its network is used (list them with: mngr-fargate tasks)' },
    );
  }
  if (others.length === 0) return first;
  throw new MngrFargateError('usage', `${found.length} services have tasks of family ${family}`, {
    hint: 'name the one whose network the task should use with --service, in addition to --family',
    details: { candidates: found.map(({ serviceName }) => ({ service: serviceName })) },
  });
}

function containerIn(definition: TaskDefinition, selector: TaskSelector, serviceName = ''): string {
  const names = definition.containerDefinitions?.map(({ name = '' }) => name) ?? [];
  const { container } = selector;
  if (container !== undefined && names.includes(container)) return container;
  const own = ownContainers(names);
  if (container !== undefined) {
    throw new MngrFargateError('not-found', `the task definition has no container ${container}`, {
      hint: `its containers: ${own.join(', ')}`,
    });
  }
  const implied =
    namedOrOnly(names, { service: serviceName, family: definition.family ?? '' }) ?? onlyEssential(definition);
  if (implied !== undefined) return implied;
  throw new MngrFargateError('usage', `tasks of ${selectorText(selector)} have ${own.length} containers`, {
    hint: `name one of them with --container: ${own.join(', ')}`,
    details: { candidates: own.map((name) => ({ container: name })) },
  });
}
