import type {
  CapacityProviderStrategyItem,
  ClusterConfiguration,
  ClusterSetting,
  CreateClusterRequest,
} from '@aws-sdk/client-ecs';
import { DEFAULT_CLUSTER } from './arns';
import { invalidParameter, namespaceNotFound } from './errors';
import { validateTags } from './tags';
import { FARGATE_PROVIDERS } from './template-clusters';

/** ECS API, CreateCluster.clusterName. */
const NAME = /^[A-Za-z0-9_-]{1,255}$/;
const INSIGHTS = ['enabled', 'disabled', 'enhanced'];
/** ECS API, CapacityProviderStrategyItem. */
const MAX_WEIGHT = 1000;
const MAX_BASE = 100_000;

/** Throws ECS's error for an invalid CreateCluster. */
export function validateCreateCluster(request: CreateClusterRequest): void {
  const { clusterName = DEFAULT_CLUSTER, settings = [], capacityProviders = [], tags = [] } = request;
  if (!NAME.test(clusterName)) {
    throw invalidParameter(
      `Invalid cluster name "${clusterName}": up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.`,
    );
  }
  validateTags(tags);
  for (const setting of settings) validateSetting(setting);
  for (const provider of capacityProviders) {
    if (FARGATE_PROVIDERS.includes(provider)) continue;
    throw invalidParameter(
      `The specified capacity provider '${provider}' was not found. Specify a valid name or ARN and try again.`,
    );
  }
  validateStrategy(request.defaultCapacityProviderStrategy ?? [], capacityProviders);
  if (request.configuration !== undefined) validateConfiguration(request.configuration);
  if (request.serviceConnectDefaults !== undefined) {
    throw namespaceNotFound('The local endpoint has no Cloud Map namespaces: leave serviceConnectDefaults out.');
  }
}

function validateSetting({ name, value = '' }: ClusterSetting): void {
  if (name !== 'containerInsights') throw invalidParameter(`Invalid cluster setting name: ${String(name)}.`);
  if (!INSIGHTS.includes(value)) {
    throw invalidParameter(`Invalid value for containerInsights: "${value}". It is one of ${INSIGHTS.join(', ')}.`);
  }
}

/** Throws unless the strategy's providers are among those given, with weights and one base as ECS allows them. */
export function validateStrategy(
  strategy: readonly CapacityProviderStrategyItem[],
  providers: readonly string[],
): void {
  for (const { capacityProvider = '', weight = 0, base = 0 } of strategy) {
    if (!providers.includes(capacityProvider)) {
      throw invalidParameter(
        'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. ' +
          'Associate the capacity provider with the cluster and try again.',
      );
    }
    if (!Number.isInteger(weight) || weight < 0 || weight > MAX_WEIGHT) {
      throw invalidParameter(`The weight of ${capacityProvider} must be between 0 and ${MAX_WEIGHT}, not ${weight}.`);
    }
    if (!Number.isInteger(base) || base < 0 || base > MAX_BASE) {
      throw invalidParameter(`The base of ${capacityProvider} must be between 0 and ${MAX_BASE}, not ${base}.`);
    }
  }
  if (strategy.filter(({ base = 0 }) => base > 0).length > 1) {
    throw invalidParameter('Only one capacity provider in a capacity provider strategy can have a base defined.');
  }
}

function validateConfiguration({ executeCommandConfiguration: exec }: ClusterConfiguration): void {
  if (exec === undefined) return;
  const { logging = 'DEFAULT', logConfiguration } = exec;
  if (!['NONE', 'DEFAULT', 'OVERRIDE'].includes(logging)) {
    throw invalidParameter(`Invalid value for logging: ${String(logging)}. It is one of NONE, DEFAULT, OVERRIDE.`);
  }
  if (logging === 'OVERRIDE' && logConfiguration === undefined) {
    throw invalidParameter('A logConfiguration must be specified when logging is OVERRIDE.');
  }
  if (logging !== 'OVERRIDE' && logConfiguration !== undefined) {
    throw invalidParameter('A logConfiguration can only be specified when logging is OVERRIDE.');
  }
}
