import type { CapacityProviderStrategyItem, ClusterConfiguration, ClusterSetting, Tag } from '@aws-sdk/client-ecs';
import type { Collection } from '../../state/store';
import type { World } from '../../world';
import { DEFAULT_CLUSTER, EcsArns, nameFrom } from './arns';
import { clusterInactive, clusterNotFound } from './errors';
import { clustersOfTemplate } from './template-clusters';

/** A cluster: of the template, imported into it, or made by CreateCluster. */
export interface EcsCluster {
  readonly name: string;
  readonly arn: string;
  /** A deleted cluster stays visible as INACTIVE (ECS API, DeleteCluster). */
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly capacityProviders: readonly string[];
  readonly defaultStrategy: readonly CapacityProviderStrategyItem[];
  readonly settings: readonly ClusterSetting[];
  readonly configuration: ClusterConfiguration | undefined;
  readonly tags: readonly Tag[];
}

/** Every cluster of the account. Changes by CreateCluster and DeleteCluster take precedence over the template. */
export class Clusters {
  constructor(
    private readonly template: ReadonlyMap<string, EcsCluster>,
    private readonly changed: Collection<EcsCluster>,
  ) {}

  /** Also finds a deleted one. */
  find(nameOrArn: string | undefined): EcsCluster | undefined {
    const name = nameFrom(nameOrArn ?? DEFAULT_CLUSTER);
    return this.changed.get(name) ?? this.template.get(name);
  }

  /** Throws ClusterNotFoundException, also for a deleted cluster. */
  get(nameOrArn: string | undefined): EcsCluster {
    const cluster = this.find(nameOrArn);
    if (cluster === undefined) throw clusterNotFound();
    if (cluster.status === 'INACTIVE') throw clusterInactive();
    return cluster;
  }

  /** The active ones. */
  all(): EcsCluster[] {
    const names = new Set([...this.template.keys(), ...[...this.changed.values()].map(({ name }) => name)]);
    return [...names]
      .map((name) => this.find(name))
      .filter((cluster) => cluster !== undefined)
      .filter(({ status }) => status === 'ACTIVE');
  }

  /** True if the template defines this cluster, and no call has changed it. */
  ofTemplate({ name }: EcsCluster): boolean {
    return this.changed.get(name) === undefined;
  }

  save(cluster: EcsCluster): void {
    this.changed.set(cluster.name, cluster);
  }
}

export const clusters = ({ stack, store, place }: World): Clusters =>
  new Clusters(clustersOfTemplate(stack, new EcsArns(place)), store.collection<EcsCluster>('clusters'));
