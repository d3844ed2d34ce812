import type {
  DeregisterTaskDefinitionRequest,
  DeregisterTaskDefinitionResponse,
  DescribeTaskDefinitionRequest,
  DescribeTaskDefinitionResponse,
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionFamiliesResponse,
  ListTaskDefinitionsRequest,
  ListTaskDefinitionsResponse,
  RegisterTaskDefinitionRequest,
  RegisterTaskDefinitionResponse,
} from '@aws-sdk/client-ecs';
import { pageOf } from '../paging';
import type { Call } from '../service';
import type { EcsContext } from './context';
import { clientError, invalidParameter } from './errors';
import { requestTagContext } from './tags';
import { validateDefinition } from './definition-request';

const MAX_PAGE = 100;

const invalidToken = (): Error => invalidParameter('Invalid token');

export const registerTaskDefinition =
  ({ arns, definitions, store }: EcsContext) =>
  async (request: RegisterTaskDefinitionRequest, call: Call): Promise<RegisterTaskDefinitionResponse> => {
    const { family = '', tags = [], taskRoleArn, executionRoleArn } = request;
    const resource = arns.taskDefinition(family, '*');
    call.authorize({ action: 'ecs:RegisterTaskDefinition', resource, context: requestTagContext(tags) });
    if (tags.length > 0) {
      call.authorize({
        action: 'ecs:TagResource',
        resource,
        context: { ...requestTagContext(tags), 'ecs:CreateAction': 'RegisterTaskDefinition' },
      });
    }
    validateDefinition(request);
    for (const role of new Set([taskRoleArn, executionRoleArn])) {
      if (role === undefined) continue;
      call.authorize({
        action: 'iam:PassRole',
        resource: role,
        context: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
      });
    }
    const entry = definitions.register(request, call.principal.arn);
    await store.flush();
    return { taskDefinition: entry.definition, tags: entry.tags };
  };

export const describeTaskDefinition =
  ({ definitions }: EcsContext) =>
  (request: DescribeTaskDefinitionRequest, call: Call): DescribeTaskDefinitionResponse => {
    call.authorize({ action: 'ecs:DescribeTaskDefinition', resource: '*', context: {} });
    const entry = definitions.find(request.taskDefinition ?? '');
    if (entry === undefined) throw clientError('Unable to describe task definition.');
    return {
      taskDefinition: entry.definition,
      tags: request.include?.includes('TAGS') === true ? entry.tags : undefined,
    };
  };

export const deregisterTaskDefinition =
  ({ definitions, store }: EcsContext) =>
  async (request: DeregisterTaskDefinitionRequest, call: Call): Promise<DeregisterTaskDefinitionResponse> => {
    call.authorize({ action: 'ecs:DeregisterTaskDefinition', resource: '*', context: {} });
    const reference = request.taskDefinition ?? '';
    if (!/:\d+$/.test(reference)) throw invalidParameter('Task definition revision must be given: family:revision.');
    const entry = definitions.find(reference);
    if (entry === undefined) throw clientError('The specified task definition does not exist.');
    definitions.deregister(entry);
    await store.flush();
    return { taskDefinition: entry.definition };
  };

export const listTaskDefinitions =
  ({ definitions }: EcsContext) =>
  (request: ListTaskDefinitionsRequest, call: Call): ListTaskDefinitionsResponse => {
    call.authorize({ action: 'ecs:ListTaskDefinitions', resource: '*', context: {} });
    const { familyPrefix, status = 'ACTIVE', sort = 'ASC', maxResults = MAX_PAGE, nextToken } = request;
    const families = definitions.families().filter((family) => familyPrefix === undefined || family === familyPrefix);
    const arns = families
      .flatMap((family) => definitions.ofFamily(family))
      .filter(({ definition }) => definition.status === status)
      .map(({ definition }) => definition.taskDefinitionArn ?? '');
    if (sort === 'DESC') arns.reverse();
    const query = JSON.stringify(['definitions', familyPrefix, status, sort]);
    const page = pageOf(arns, maxResults, nextToken, query, invalidToken);
    return { taskDefinitionArns: [...page.items], nextToken: page.nextToken };
  };

export const listTaskDefinitionFamilies =
  ({ definitions }: EcsContext) =>
  (request: ListTaskDefinitionFamiliesRequest, call: Call): ListTaskDefinitionFamiliesResponse => {
    call.authorize({ action: 'ecs:ListTaskDefinitionFamilies', resource: '*', context: {} });
    const { familyPrefix = '', status = 'ALL', maxResults = MAX_PAGE, nextToken } = request;
    const isActive = (family: string): boolean =>
      definitions.ofFamily(family).some(({ definition }) => definition.status === 'ACTIVE');
    const families = definitions
      .families()
      .filter((family) => family.startsWith(familyPrefix))
      .filter((family) => status === 'ALL' || isActive(family) === (status === 'ACTIVE'));
    const query = JSON.stringify(['families', familyPrefix, status]);
    const page = pageOf(families, maxResults, nextToken, query, invalidToken);
    return { families: [...page.items], nextToken: page.nextToken };
  };
