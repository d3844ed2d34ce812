import type { CapacityProviderStrategyItem, ClusterConfiguration, ClusterSetting, Tag } from '@aws-sdk/client-ecs';
import * as sdk from '@aws-sdk/client-ecs';
import { STACK_OUTPUTS } from '../../../contract/outputs';
import { resourcesOfType } from '../../template/stack';
import type { Stack } from '../../template/stack';
import { nameFrom } from './arns';
import type { EcsArns } from './arns';
import type { EcsCluster } from './clusters';
import { apiForm } from './template-form';

/** Fargate's own providers; an imported cluster is taken to have them. */
export const FARGATE_PROVIDERS: readonly string[] = ['FARGATE', 'FARGATE_SPOT'];

interface TemplateStrategyItem {
  readonly CapacityProvider: string;
  readonly Weight?: number;
  readonly Base?: number;
}

const strategyOf = (items: unknown): CapacityProviderStrategyItem[] =>
  ((items ?? []) as TemplateStrategyItem[]).map(({ CapacityProvider, Weight, Base }) => ({
    capacityProvider: CapacityProvider,
    weight: Weight ?? 0,
    base: Base ?? 0,
  }));

/** The tags of a template's resource in ECS's form. */
export const templateTags = (tags: unknown): Tag[] =>
  ((tags ?? []) as { readonly Key: string; readonly Value: string }[]).map(({ Key, Value }) => ({
    key: Key,
    value: Value,
  }));

/** Clusters that the stack uses but doesn't own: its output names one. */
const importedClusters = (stack: Stack): string[] =>
  stack.outputs.filter(({ key }) => key === STACK_OUTPUTS.ecsCluster).map(({ value }) => nameFrom(value));

/** The template's clusters, and any other that its outputs name as the cluster hosts run in. */
export function clustersOfTemplate(stack: Stack, arns: EcsArns): ReadonlyMap<string, EcsCluster> {
  const clusters = new Map<string, EcsCluster>();
  const associations = resourcesOfType(stack, 'AWS::ECS::ClusterCapacityProviderAssociations');
  for (const { physicalId: name, properties } of resourcesOfType(stack, 'AWS::ECS::Cluster')) {
    const association = associations.find((resource) => resource.properties.Cluster === name)?.properties;
    clusters.set(name, {
      name,
      arn: arns.cluster(name),
      status: 'ACTIVE',
      capacityProviders: ((association ?? properties).CapacityProviders as string[] | undefined) ?? [],
      defaultStrategy: strategyOf((association ?? properties).DefaultCapacityProviderStrategy),
      settings: ((properties.ClusterSettings ?? []) as { Name: ClusterSetting['name']; Value: string }[]).map(
        ({ Name, Value }) => ({ name: Name, value: Value }),
      ),
      configuration: apiForm(sdk.ClusterConfiguration$, properties.Configuration) as ClusterConfiguration | undefined,
      tags: templateTags(properties.Tags),
    });
  }
  for (const name of importedClusters(stack)) {
    if (clusters.has(name)) continue;
    clusters.set(name, {
      name,
      arn: arns.cluster(name),
      status: 'ACTIVE',
      capacityProviders: FARGATE_PROVIDERS,
      defaultStrategy: [],
      settings: [],
      configuration: undefined,
      tags: [],
    });
  }
  return clusters;
}
