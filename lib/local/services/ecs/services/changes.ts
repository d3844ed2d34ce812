import type {
  CreateServiceRequest,
  CreateServiceResponse,
  DeleteServiceRequest,
  DeleteServiceResponse,
  UpdateServiceRequest,
  UpdateServiceResponse,
} from '@aws-sdk/client-ecs';
import type { RequestContext } from '../../../iam/policy';
import { stringify } from '../../../state/json-dates';
import type { Call } from '../../service';
import { nameFrom } from '../arns';
import type { EcsContext } from '../context';
import { clientError, invalidParameter, serviceNotActive, serviceNotFound } from '../errors';
import { validateRunTask } from '../run-task-request';
import { requestTagContext, resourceTagContext } from '../tags';
import { primaryOf } from './record';
import type { LaunchSettings, ServiceDeployment, ServiceRecord } from './record';
import { validateCreateService, validateUpdateService } from './request';
import type { ServiceScheduler } from './scheduler';
import { serviceView } from './view';

/** Condition keys of calls that make or change a service (Service Authorization Reference). */
function conditionsOf(
  { arns, definitions }: EcsContext,
  request: Pick<
    CreateServiceRequest,
    'cluster' | 'taskDefinition' | 'enableExecuteCommand' | 'capacityProviderStrategy' | 'networkConfiguration'
  >,
): RequestContext {
  const { taskDefinition, enableExecuteCommand } = request;
  const definition = taskDefinition === undefined ? undefined : definitions.find(taskDefinition)?.definition;
  const providers = (request.capacityProviderStrategy ?? []).map(({ capacityProvider }) => capacityProvider ?? '');
  const vpc = request.networkConfiguration?.awsvpcConfiguration;
  return {
    'ecs:cluster': arns.clusterNamed(request.cluster),
    'ecs:task-definition':
      definition?.taskDefinitionArn ??
      (taskDefinition === undefined ? undefined : arns.taskDefinitionNamed(taskDefinition)),
    'ecs:capacity-provider': providers.length === 0 ? undefined : providers,
    'ecs:enable-execute-command': enableExecuteCommand === undefined ? undefined : String(enableExecuteCommand),
    'ecs:subnet': vpc?.subnets,
    'ecs:auto-assign-public-ip':
      vpc?.assignPublicIp === undefined ? undefined : String(vpc.assignPublicIp === 'ENABLED'),
  };
}

/** ARN of the definition that new tasks get, once everything that they are launched with has been validated. */
function checkedDefinition(
  { clusters, definitions, network }: EcsContext,
  clusterName: string,
  taskDefinition: string,
  settings: LaunchSettings,
): string {
  const entry = definitions.find(taskDefinition);
  if (entry === undefined) throw clientError('TaskDefinition not found.');
  if (entry.definition.status !== 'ACTIVE') throw clientError('TaskDefinition is inactive');
  validateRunTask({ ...settings, taskDefinition }, entry.definition, clusters.get(clusterName), network);
  return entry.definition.taskDefinitionArn ?? '';
}

const launchSettings = (request: LaunchSettings): LaunchSettings => ({
  launchType: request.launchType,
  capacityProviderStrategy: request.capacityProviderStrategy,
  platformVersion: request.platformVersion,
  networkConfiguration: request.networkConfiguration,
});

/** What a valid request for a service asks for, before anything is started. */
export function newService(context: EcsContext, request: CreateServiceRequest, createdBy: string): ServiceRecord {
  const { arns, clusters, services, clock } = context;
  const cluster = clusters.get(request.cluster);
  const { serviceName: name = '', taskDefinition = '' } = request;
  const settings = launchSettings(request);
  const definition = checkedDefinition(context, cluster.name, taskDefinition, settings);
  return {
    name,
    cluster: cluster.name,
    arn: arns.service(cluster.name, name),
    createdAt: clock.now(),
    createdBy,
    createdWith: stringify(request),
    status: 'ACTIVE',
    desiredCount: request.desiredCount ?? 0,
    enableExecuteCommand: request.enableExecuteCommand === true,
    enableECSManagedTags: request.enableECSManagedTags === true,
    propagateTags: request.propagateTags,
    deploymentConfiguration: request.deploymentConfiguration ?? {},
    loadBalancers: request.loadBalancers,
    tags: request.tags ?? [],
    deployments: [services.newDeployment(definition, settings)],
    events: [],
  };
}

export const createService =
  (context: EcsContext, scheduler: ServiceScheduler) =>
  async (request: CreateServiceRequest, call: Call): Promise<CreateServiceResponse> => {
    const { arns, clusters, services, store } = context;
    const { serviceName = '', tags = [] } = request;
    const resource = arns.service(nameFrom(arns.clusterNamed(request.cluster)), serviceName);
    const conditions = { ...conditionsOf(context, request), ...requestTagContext(tags) };
    call.authorize({ action: 'ecs:CreateService', resource, context: conditions });
    if (tags.length > 0) {
      call.authorize({
        action: 'ecs:TagResource',
        resource,
        context: {
          'ecs:cluster': conditions['ecs:cluster'],
          ...requestTagContext(tags),
          'ecs:CreateAction': 'CreateService',
        },
      });
    }
    const cluster = clusters.get(request.cluster);
    validateCreateService(request);
    const present = services.find(cluster.name, serviceName);
    if (present?.status === 'DRAINING') throw invalidParameter('Unable to Start a service that is still Draining.');
    if (present?.status === 'ACTIVE') {
      if (present.createdWith === stringify(request)) return { service: serviceView(context, present, true) };
      throw invalidParameter('Creation of service was not idempotent.');
    }
    const record = newService(context, request, call.principal.arn);
    services.save(record);
    const answer = { service: serviceView(context, record, true) };
    scheduler.changed(record);
    await store.flush();
    return answer;
  };

/** Applies what a request changes, and begins a deployment if running tasks no longer match. */
export function applyUpdate(context: EcsContext, record: ServiceRecord, request: UpdateServiceRequest): void {
  const { services, clock } = context;
  const primary = primaryOf(record);
  const settings: LaunchSettings = {
    launchType: request.capacityProviderStrategy === undefined ? primary.launchType : undefined,
    capacityProviderStrategy: request.capacityProviderStrategy ?? primary.capacityProviderStrategy,
    platformVersion: request.platformVersion ?? primary.platformVersion,
    networkConfiguration: request.networkConfiguration ?? primary.networkConfiguration,
  };
  const definition =
    request.taskDefinition === undefined && stringify(settings) === stringify(launchSettings(primary))
      ? primary.taskDefinition
      : checkedDefinition(context, record.cluster, request.taskDefinition ?? primary.taskDefinition, settings);
  record.desiredCount = request.desiredCount ?? record.desiredCount;
  record.enableExecuteCommand = request.enableExecuteCommand ?? record.enableExecuteCommand;
  record.enableECSManagedTags = request.enableECSManagedTags ?? record.enableECSManagedTags;
  record.propagateTags = request.propagateTags ?? record.propagateTags;
  record.deploymentConfiguration = { ...record.deploymentConfiguration, ...request.deploymentConfiguration };
  primary.updatedAt = clock.now();
  if (request.forceNewDeployment === true || replaces(primary, definition, settings)) {
    record.deployments = [services.newDeployment(definition, settings), ...record.deployments];
  }
  services.save(record);
}

const replaces = (primary: ServiceDeployment, definition: string, settings: LaunchSettings): boolean =>
  definition !== primary.taskDefinition || stringify(settings) !== stringify(launchSettings(primary));

/**
 * The service that a call names, if the caller may do this to it. Throws for a cluster or service that doesn't exist.
 */
function namedService(
  { arns, clusters, services }: EcsContext,
  call: Call,
  { cluster, service = '' }: { readonly cluster?: string; readonly service?: string },
  { action, conditions }: { readonly action: string; readonly conditions: RequestContext },
): ServiceRecord {
  const clusterName = nameFrom(arns.clusterNamed(cluster));
  const found = services.find(clusterName, service);
  call.authorize({
    action,
    resource: arns.service(clusterName, nameFrom(service)),
    context: { ...conditions, ...resourceTagContext(found?.tags ?? []) },
  });
  clusters.get(cluster);
  if (found === undefined) throw serviceNotFound();
  return found;
}

export const updateService =
  (context: EcsContext, scheduler: ServiceScheduler) =>
  async (request: UpdateServiceRequest, call: Call): Promise<UpdateServiceResponse> => {
    const conditions = conditionsOf(context, request);
    const found = namedService(context, call, request, { action: 'ecs:UpdateService', conditions });
    if (found.status !== 'ACTIVE') throw serviceNotActive();
    validateUpdateService(request);
    applyUpdate(context, found, request);
    const answer = { service: serviceView(context, found, true) };
    scheduler.changed(found);
    await context.store.flush();
    return answer;
  };

export const deleteService =
  (context: EcsContext, scheduler: ServiceScheduler) =>
  async (request: DeleteServiceRequest, call: Call): Promise<DeleteServiceResponse> => {
    const conditions = { 'ecs:cluster': context.arns.clusterNamed(request.cluster) };
    const found = namedService(context, call, request, { action: 'ecs:DeleteService', conditions });
    if (found.status === 'INACTIVE') throw serviceNotFound();
    if (found.status === 'ACTIVE' && found.desiredCount > 0 && request.force !== true) {
      throw invalidParameter('The service cannot be stopped while it is scaled above 0.');
    }
    drain(context, found);
    const answer = { service: serviceView(context, found, true) };
    scheduler.changed(found);
    await context.store.flush();
    return answer;
  };

/** Ends a service; the scheduler stops its tasks. */
export function drain({ services }: EcsContext, record: ServiceRecord): void {
  record.status = 'DRAINING';
  record.desiredCount = 0;
  services.save(record);
}
