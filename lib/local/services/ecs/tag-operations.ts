import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  TagResourceResponse,
  UntagResourceRequest,
  UntagResourceResponse,
} from '@aws-sdk/client-ecs';
import type { RequestContext } from '../../iam/policy';
import type { AwsError } from '../../wire/aws-error';
import type { Call } from '../service';
import type { EcsContext } from './context';
import { clientError, clusterNotFound, invalidParameter } from './errors';
import { mergeTags, requestTagContext, resourceTagContext, validateTags } from './tags';

/** Something that has tags, and how they are saved. */
interface Tagged {
  readonly tags: readonly Tag[];
  replace(tags: Tag[]): void;
}

type Kind = 'cluster' | 'service' | 'task' | 'task-definition';

/** What an ARN says about its resource. */
interface NamedResource {
  readonly kind: Kind | undefined;
  readonly cluster: string | undefined;
  readonly id: string | undefined;
}

function named(arn: string): NamedResource {
  const [kind, first, second] = (arn.split(':')[5] ?? '').split('/');
  if ((kind === 'task' || kind === 'service') && second !== undefined) return { kind, cluster: first, id: second };
  if (kind === 'cluster') return { kind, cluster: first, id: undefined };
  if (kind === 'task-definition') return { kind, cluster: undefined, id: first };
  return { kind: undefined, cluster: undefined, id: undefined };
}

/** The resource of an ARN; undefined where there is none. */
function find({ clusters, tasks, services, definitions }: EcsContext, arn: string): Tagged | undefined {
  const { kind, cluster = '', id = '' } = named(arn);
  if (kind === 'cluster') {
    const found = clusters.find(cluster);
    if (found?.status !== 'ACTIVE') return undefined;
    return {
      tags: found.tags,
      replace: (tags) => {
        if (clusters.ofTemplate(found))
          throw clientError("The local endpoint takes the tags of the template's cluster from the template alone.");
        clusters.save({ ...found, tags });
      },
    };
  }
  if (kind === 'task-definition') {
    const entry = definitions.find(arn);
    if (entry === undefined) return undefined;
    return {
      tags: entry.tags,
      replace: (tags) => {
        entry.tags = tags;
        definitions.save(entry);
      },
    };
  }
  if (kind === 'service') {
    const service = services.find(cluster, id);
    if (service === undefined) return undefined;
    return {
      tags: service.tags,
      replace: (tags) => {
        service.tags = tags;
        services.save(service);
      },
    };
  }
  const record = kind === 'task' ? tasks.get(cluster, id) : undefined;
  if (record === undefined) return undefined;
  return {
    tags: record.tags,
    replace: (tags) => {
      if (record.task.lastStatus === 'STOPPED') {
        throw invalidParameter('The specified task is inactive. Specify an active task and try again.');
      }
      record.tags = tags;
      tasks.saveQuietly(record);
    },
  };
}

function missing(arn: string): AwsError {
  const { kind } = named(arn);
  if (kind === undefined) return invalidParameter(`Invalid resource ARN: ${arn}`);
  if (kind === 'cluster') return clusterNotFound();
  return invalidParameter(`The specified ${kind.replace('-', ' ')} is not found.`);
}

/** The resource, if the caller may do this to it; other callers don't learn whether it exists. */
function authorized(
  context: EcsContext,
  call: Call,
  action: string,
  arn: string,
  requestContext: RequestContext = {},
): Tagged {
  const { arns } = context;
  const { kind, cluster } = named(arn);
  const found = find(context, arn);
  const clusterKey = kind === 'task' || kind === 'service' ? { 'ecs:cluster': arns.clusterNamed(cluster) } : {};
  call.authorize({
    action,
    resource: arn,
    context: { ...clusterKey, ...resourceTagContext(found?.tags ?? []), ...requestContext },
  });
  if (found === undefined) throw missing(arn);
  return found;
}

export const tagResource =
  (context: EcsContext) =>
  async ({ resourceArn = '', tags = [] }: TagResourceRequest, call: Call): Promise<TagResourceResponse> => {
    const resource = authorized(context, call, 'ecs:TagResource', resourceArn, requestTagContext(tags));
    validateTags(tags);
    resource.replace(mergeTags(resource.tags, tags));
    await context.store.flush();
    return {};
  };

export const untagResource =
  (context: EcsContext) =>
  async ({ resourceArn = '', tagKeys = [] }: UntagResourceRequest, call: Call): Promise<UntagResourceResponse> => {
    const resource = authorized(context, call, 'ecs:UntagResource', resourceArn, { 'aws:TagKeys': tagKeys });
    resource.replace(resource.tags.filter(({ key }) => !tagKeys.includes(key ?? '')));
    await context.store.flush();
    return {};
  };

export const listTagsForResource =
  (context: EcsContext) =>
  ({ resourceArn = '' }: ListTagsForResourceRequest, call: Call): ListTagsForResourceResponse => {
    const { tags } = authorized(context, call, 'ecs:ListTagsForResource', resourceArn);
    return { tags: [...tags] };
  };
