import type { CreateServiceRequest, DeploymentConfiguration, UpdateServiceRequest } from '@aws-sdk/client-ecs';
import { invalidParameter, namespaceNotFound } from '../errors';
import { validateTags } from '../tags';

/** ECS API, CreateService.serviceName. */
const NAME = /^[A-Za-z0-9_-]{1,255}$/;
/** ECS service quotas, "Tasks per service". */
const MAX_DESIRED_COUNT = 5000;
const DEFAULT_MAXIMUM_PERCENT = 200;
const DEFAULT_MINIMUM_PERCENT = 100;

/** Throws ECS's error for an invalid CreateService. */
export function validateCreateService(request: CreateServiceRequest): void {
  const { serviceName = '', tags = [], schedulingStrategy = 'REPLICA', propagateTags } = request;
  if (!NAME.test(serviceName)) {
    throw invalidParameter(
      `Invalid service name "${serviceName}": up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.`,
    );
  }
  if (request.taskDefinition === undefined) throw invalidParameter('TaskDefinition can not be blank.');
  if (schedulingStrategy !== 'REPLICA') {
    throw invalidParameter(
      schedulingStrategy === 'DAEMON'
        ? "The DAEMON scheduling strategy isn't supported with the FARGATE launch type."
        : `Invalid scheduling strategy: ${String(schedulingStrategy)}.`,
    );
  }
  if (request.desiredCount === undefined) throw invalidParameter('DesiredCount can not be null.');
  if (propagateTags !== undefined && !['TASK_DEFINITION', 'SERVICE', 'NONE'].includes(propagateTags)) {
    throw invalidParameter(`Invalid value for propagateTags: ${String(propagateTags)}.`);
  }
  validateTags(tags);
  if ((request.loadBalancers ?? []).length > 0) {
    throw invalidParameter('The local endpoint has no load balancers: leave loadBalancers out.');
  }
  validateShared(request);
}

/** Throws ECS's error for an invalid UpdateService. */
export function validateUpdateService(request: UpdateServiceRequest): void {
  if ((request.loadBalancers ?? []).length > 0) {
    throw invalidParameter('The local endpoint has no load balancers: leave loadBalancers out.');
  }
  validateShared(request);
}

function validateShared(request: CreateServiceRequest | UpdateServiceRequest): void {
  const { desiredCount } = request;
  if (desiredCount !== undefined && (!Number.isInteger(desiredCount) || desiredCount < 0)) {
    throw invalidParameter('desiredCount must be a whole number that is not negative.');
  }
  if ((desiredCount ?? 0) > MAX_DESIRED_COUNT) {
    throw invalidParameter(`desiredCount must be at most ${MAX_DESIRED_COUNT}, not ${desiredCount}.`);
  }
  if (request.serviceConnectConfiguration?.enabled === true) {
    throw namespaceNotFound('The local endpoint has no Cloud Map namespaces: leave serviceConnectConfiguration out.');
  }
  for (const setting of ['serviceRegistries', 'volumeConfigurations', 'vpcLatticeConfigurations'] as const) {
    if ((request[setting] ?? []).length > 0) {
      throw invalidParameter(`The local endpoint can not honour ${setting}: leave it out.`);
    }
  }
  if ((request.placementConstraints ?? []).length + (request.placementStrategy ?? []).length > 0) {
    throw invalidParameter('Placement constraints and strategies are not supported with FARGATE launch type.');
  }
  const controller = request.deploymentController?.type ?? 'ECS';
  if (controller !== 'ECS') {
    throw invalidParameter(
      `The local endpoint supports only the deployment controller ECS, not ${String(controller)}.`,
    );
  }
  if (request.deploymentConfiguration !== undefined) validateConfiguration(request.deploymentConfiguration);
}

function validateConfiguration(configuration: DeploymentConfiguration): void {
  const { maximumPercent, minimumHealthyPercent, alarms, strategy = 'ROLLING' } = configuration;
  if (strategy !== 'ROLLING') {
    throw invalidParameter(
      `The local endpoint supports only the deployment strategy ROLLING, not ${String(strategy)}.`,
    );
  }
  if (alarms?.enable === true) throw invalidParameter('The local endpoint has no alarms: leave alarms out.');
  const { maximum, minimum } = limitsOf(configuration);
  if (!Number.isInteger(maximum) || !Number.isInteger(minimum) || minimum < 0 || maximum < 100) {
    throw invalidParameter(
      `Invalid deployment configuration: maximumPercent ${maximumPercent}, minimumHealthyPercent ${minimumHealthyPercent}.`,
    );
  }
  if (maximum <= minimum) {
    throw invalidParameter(
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments: the first must be the greater.',
    );
  }
}

/** The percentages in force (ECS API, DeploymentConfiguration). */
export const limitsOf = ({
  maximumPercent = DEFAULT_MAXIMUM_PERCENT,
  minimumHealthyPercent = DEFAULT_MINIMUM_PERCENT,
}: DeploymentConfiguration): { readonly maximum: number; readonly minimum: number } => ({
  maximum: maximumPercent,
  minimum: minimumHealthyPercent,
});
