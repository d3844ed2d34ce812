import type {
  DescribeClustersRequest,
  DescribeClustersResponse,
  ListClustersRequest,
  ListClustersResponse,
} from '@aws-sdk/client-ecs';
import { pageOf } from '../paging';
import type { Call } from '../service';
import { nameFrom } from './arns';
import { describedCluster } from './cluster-view';
import type { EcsContext } from './context';
import { invalidParameter } from './errors';
import { resourceTagContext } from './tags';

const MAX_PAGE = 100;

export const describeClusters =
  (context: EcsContext) =>
  (request: DescribeClustersRequest, call: Call): DescribeClustersResponse => {
    const names = request.clusters ?? [];
    if (names.length > MAX_PAGE) throw invalidParameter(`Clusters cannot be more than ${MAX_PAGE}.`);
    const answer: Required<Pick<DescribeClustersResponse, 'clusters' | 'failures'>> = { clusters: [], failures: [] };
    for (const name of names.length === 0 ? ['default'] : names) {
      const cluster = context.clusters.find(name);
      const arn = context.arns.cluster(nameFrom(name));
      call.authorize({
        action: 'ecs:DescribeClusters',
        resource: arn,
        context: resourceTagContext(cluster?.tags ?? []),
      });
      if (cluster === undefined) answer.failures.push({ arn, reason: 'MISSING' });
      else answer.clusters.push(describedCluster(context, cluster, request.include ?? []));
    }
    return answer;
  };

export const listClusters =
  ({ clusters }: EcsContext) =>
  (request: ListClustersRequest, call: Call): ListClustersResponse => {
    call.authorize({ action: 'ecs:ListClusters', resource: '*', context: {} });
    const arns = clusters.all().map(({ arn }) => arn);
    const { items, nextToken } = pageOf(arns, request.maxResults ?? MAX_PAGE, request.nextToken, 'clusters', () =>
      invalidParameter('Invalid token'),
    );
    return { clusterArns: [...items], nextToken };
  };
