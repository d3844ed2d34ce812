import type {
  DescribeServicesRequest,
  DescribeServicesResponse,
  ListServicesRequest,
  ListServicesResponse,
} from '@aws-sdk/client-ecs';
import { pageOf } from '../../paging';
import type { Call } from '../../service';
import { nameFrom } from '../arns';
import type { EcsContext } from '../context';
import { invalidParameter } from '../errors';
import { resourceTagContext } from '../tags';
import { primaryOf } from './record';
import { serviceView } from './view';

/** ECS API, DescribeServices and ListServices. */
const MAX_DESCRIBED = 10;
const DEFAULT_PAGE = 10;
const MAX_PAGE = 100;

export const describeServices =
  (context: EcsContext) =>
  (request: DescribeServicesRequest, call: Call): DescribeServicesResponse => {
    const { arns, clusters, services } = context;
    const names = request.services ?? [];
    if (names.length === 0) throw invalidParameter('Services cannot be empty.');
    if (names.length > MAX_DESCRIBED) {
      throw invalidParameter(`Services cannot be more than ${MAX_DESCRIBED}: ${names.length} were given.`);
    }
    const clusterArn = arns.clusterNamed(request.cluster);
    const clusterName = nameFrom(clusterArn);
    const withTags = request.include?.includes('TAGS') === true;
    const answer: Required<Pick<DescribeServicesResponse, 'services' | 'failures'>> = { services: [], failures: [] };
    for (const name of new Set(names.map(nameFrom))) {
      const record = services.find(clusterName, name);
      const arn = arns.service(clusterName, name);
      call.authorize({
        action: 'ecs:DescribeServices',
        resource: arn,
        context: { 'ecs:cluster': clusterArn, ...resourceTagContext(record?.tags ?? []) },
      });
      clusters.get(request.cluster);
      if (record === undefined) answer.failures.push({ arn, reason: 'MISSING' });
      else answer.services.push(serviceView(context, record, withTags));
    }
    return answer;
  };

/** Those that are ACTIVE: draining ones are only described (ECS API, DeleteService). */
export const listServices =
  ({ arns, clusters, services }: EcsContext) =>
  (request: ListServicesRequest, call: Call): ListServicesResponse => {
    call.authorize({
      action: 'ecs:ListServices',
      resource: '*',
      context: { 'ecs:cluster': arns.clusterNamed(request.cluster) },
    });
    const cluster = clusters.get(request.cluster);
    const { launchType, schedulingStrategy, maxResults = DEFAULT_PAGE, nextToken } = request;
    if (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > MAX_PAGE) {
      throw invalidParameter(`maxResults must be between 1 and ${MAX_PAGE}, not ${maxResults}.`);
    }
    const found = services
      .ofCluster(cluster.name)
      .filter(({ status }) => status === 'ACTIVE')
      .filter((record) => launchType === undefined || primaryOf(record).launchType === launchType)
      .filter(() => schedulingStrategy === undefined || schedulingStrategy === 'REPLICA')
      .map(({ arn }) => arn);
    const query = JSON.stringify(['services', cluster.name, launchType, schedulingStrategy]);
    const page = pageOf(found, maxResults, nextToken, query, () => invalidParameter('Invalid token'));
    return { serviceArns: [...page.items], nextToken: page.nextToken };
  };
