import type { CapacityProviderStrategyItem, Cluster, Tag } from '@aws-sdk/client-ecs';
import { STACK_OUTPUTS } from '../../../contract/outputs';
import type { Stack } from '../../template/stack';
import { resourcesOfType } from '../../template/stack';
import { DEFAULT_CLUSTER, nameFrom } from './arns';
import type { EcsArns } from './arns';
import { clusterNotFound } from './errors';

/** A cluster, of the template or imported into it. */
export interface EcsCluster {
  readonly name: string;
  readonly arn: string;
  readonly capacityProviders: readonly string[];
  readonly defaultStrategy: readonly CapacityProviderStrategyItem[];
  readonly settings: Cluster['settings'];
  readonly tags: readonly Tag[];
}

/** Fargate's own providers; an imported cluster is taken to have them. */
const FARGATE_PROVIDERS = ['FARGATE', 'FARGATE_SPOT'] as const;

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

/** Clusters that the stack uses without owning: its output names one. */
const importedClusters = (stack: Stack): string[] =>
  stack.outputs.filter(({ key }) => key === STACK_OUTPUTS.ecsCluster).map(({ value }) => nameFrom(value));

/** The template's clusters, and any other that its outputs name as the cluster hosts run in. */
export class Clusters {
  private readonly clusters = new Map<string, EcsCluster>();

  constructor(stack: Stack, arns: EcsArns) {
    const associations = resourcesOfType(stack, 'AWS::ECS::ClusterCapacityProviderAssociations');
    for (const { physicalId: name, properties } of resourcesOfType(stack, 'AWS::ECS::Cluster')) {
      const association = associations.find((resource) => resource.properties.Cluster === name)?.properties;
      this.clusters.set(name, {
        name,
        arn: arns.cluster(name),
        capacityProviders: ((association ?? properties).CapacityProviders as string[] | undefined) ?? [],
        defaultStrategy: strategyOf((association ?? properties).DefaultCapacityProviderStrategy),
        settings: ((properties.ClusterSettings ?? []) as { Name: 'containerInsights'; Value: string }[]).map(
          ({ Name, Value }) => ({ name: Name, value: Value }),
        ),
        tags: templateTags(properties.Tags),
      });
    }
    for (const name of importedClusters(stack)) {
      if (this.clusters.has(name)) continue;
      this.clusters.set(name, {
        name,
        arn: arns.cluster(name),
        capacityProviders: [...FARGATE_PROVIDERS],
        defaultStrategy: [],
        settings: [],
        tags: [],
      });
    }
  }

  find(nameOrArn: string | undefined): EcsCluster | undefined {
    return this.clusters.get(nameFrom(nameOrArn ?? DEFAULT_CLUSTER));
  }

  /** Throws ClusterNotFoundException. */
  get(nameOrArn: string | undefined): EcsCluster {
    const cluster = this.find(nameOrArn);
    if (cluster === undefined) throw clusterNotFound();
    return cluster;
  }

  all(): EcsCluster[] {
    return [...this.clusters.values()];
  }
}
