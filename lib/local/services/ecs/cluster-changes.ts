import { isDeepStrictEqual } from 'node:util';
import type {
  CreateClusterRequest,
  CreateClusterResponse,
  DeleteClusterRequest,
  DeleteClusterResponse,
} from '@aws-sdk/client-ecs';
import { AwsError } from '../../wire/aws-error';
import type { Call } from '../service';
import { DEFAULT_CLUSTER, nameFrom } from './arns';
import { validateCreateCluster } from './cluster-request';
import { describedCluster } from './cluster-view';
import type { EcsCluster } from './clusters';
import type { EcsContext } from './context';
import { invalidParameter } from './errors';
import { requestTagContext, resourceTagContext } from './tags';

const EVERYTHING = ['CONFIGURATIONS', 'SETTINGS', 'STATISTICS', 'TAGS'];

function clusterOf(request: CreateClusterRequest, arn: string): EcsCluster {
  return {
    name: nameFrom(arn),
    arn,
    status: 'ACTIVE',
    capacityProviders: request.capacityProviders ?? [],
    defaultStrategy: request.defaultCapacityProviderStrategy ?? [],
    settings: request.settings ?? [{ name: 'containerInsights', value: 'disabled' }],
    configuration: request.configuration,
    tags: request.tags ?? [],
  };
}

/** True if everything that the request says about the cluster is already the case. */
const alreadySo = (request: CreateClusterRequest, wanted: EcsCluster, present: EcsCluster): boolean =>
  (request.capacityProviders === undefined || isDeepStrictEqual(wanted.capacityProviders, present.capacityProviders)) &&
  (request.defaultCapacityProviderStrategy === undefined ||
    isDeepStrictEqual(wanted.defaultStrategy, present.defaultStrategy)) &&
  (request.settings === undefined || isDeepStrictEqual(wanted.settings, present.settings)) &&
  (request.configuration === undefined || isDeepStrictEqual(wanted.configuration, present.configuration));

/** A call for an existing cluster returns it, unless the two contradict each other. */
export const createCluster =
  (context: EcsContext) =>
  async (request: CreateClusterRequest, call: Call): Promise<CreateClusterResponse> => {
    const { arns, clusters, store } = context;
    const { clusterName = DEFAULT_CLUSTER, tags = [] } = request;
    const arn = arns.cluster(clusterName);
    call.authorize({
      action: 'ecs:CreateCluster',
      resource: '*',
      context: { ...requestTagContext(tags), 'ecs:capacity-provider': request.capacityProviders },
    });
    if (tags.length > 0) {
      call.authorize({
        action: 'ecs:TagResource',
        resource: arn,
        context: { ...requestTagContext(tags), 'ecs:CreateAction': 'CreateCluster' },
      });
    }
    validateCreateCluster(request);
    const wanted = clusterOf(request, arn);
    const present = clusters.find(clusterName);
    if (present?.status === 'ACTIVE') {
      if (alreadySo(request, wanted, present)) return { cluster: describedCluster(context, present, EVERYTHING) };
      throw invalidParameter(
        'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      );
    }
    clusters.save(wanted);
    await store.flush();
    return { cluster: describedCluster(context, wanted, EVERYTHING) };
  };

export const deleteCluster =
  (context: EcsContext) =>
  async ({ cluster: nameOrArn = '' }: DeleteClusterRequest, call: Call): Promise<DeleteClusterResponse> => {
    const { arns, clusters, store, tasks, services } = context;
    const found = clusters.find(nameOrArn);
    call.authorize({
      action: 'ecs:DeleteCluster',
      resource: arns.clusterNamed(nameOrArn),
      context: resourceTagContext(found?.tags ?? []),
    });
    const cluster = clusters.get(nameOrArn);
    if (services.ofCluster(cluster.name).some(({ status }) => status !== 'INACTIVE')) {
      throw new AwsError(
        'ClusterContainsServicesException',
        'The Cluster cannot be deleted while Services are active.',
      );
    }
    const active = [...tasks.all()].some(
      ({ cluster: name, task }) => name === cluster.name && task.lastStatus !== 'STOPPED',
    );
    if (active) {
      throw new AwsError('ClusterContainsTasksException', 'The Cluster cannot be deleted while Tasks are active.');
    }
    const deleted: EcsCluster = { ...cluster, status: 'INACTIVE' };
    clusters.save(deleted);
    await store.flush();
    return { cluster: describedCluster(context, deleted, EVERYTHING) };
  };
