import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  TagResourceResponse,
  UntagResourceRequest,
  UntagResourceResponse,
} from '@aws-sdk/client-ecs';
import { AwsError } from '../../wire/aws-error';
import type { Call } from '../service';
import type { EcsContext } from './context';
import { invalidParameter } from './errors';
import { mergeTags, requestTagContext, resourceTagContext, validateTags } from './tags';

/** Something that has tags, and how they are put back. */
interface Tagged {
  readonly tags: readonly Tag[];
  readonly context: Readonly<Record<string, string>>;
  /** Absent for what can't be tagged here. */
  readonly replace?: (tags: Tag[]) => void;
}

/** The resource of an ARN. Throws for one that isn't there or that ECS tags don't go to. */
function taggedResource({ clusters, tasks, definitions }: EcsContext, arn: string): Tagged {
  const [kind, cluster, id] = (arn.split(':')[5] ?? '').split('/');
  if (kind === 'task' && cluster !== undefined && id !== undefined) {
    const record = tasks.get(cluster, id);
    if (record === undefined) throw invalidParameter('The specified task is not found.');
    return {
      tags: record.tags,
      context: { 'ecs:cluster': clusters.get(cluster).arn, ...resourceTagContext(record.tags) },
      replace: (tags) => {
        if (record.task.lastStatus === 'STOPPED') {
          throw invalidParameter('The specified task is inactive. Specify an active task and try again.');
        }
        record.tags = tags;
        tasks.saveQuietly(record);
      },
    };
  }
  if (kind === 'task-definition') {
    const entry = definitions.find(arn);
    if (entry === undefined) throw invalidParameter('The specified task definition is not found.');
    return {
      tags: entry.tags,
      context: resourceTagContext(entry.tags),
      replace: (tags) => {
        entry.tags = tags;
        definitions.save(entry);
      },
    };
  }
  if (kind === 'cluster') {
    const { tags } = clusters.get(cluster);
    return { tags, context: resourceTagContext(tags) };
  }
  throw invalidParameter(`Invalid resource ARN: ${arn}`);
}

const unsupported = (): AwsError =>
  new AwsError('UnsupportedFeatureException', "the local endpoint takes a cluster's tags from the template alone");

export const tagResource =
  (context: EcsContext) =>
  async (request: TagResourceRequest, call: Call): Promise<TagResourceResponse> => {
    const arn = request.resourceArn ?? '';
    const tags = request.tags ?? [];
    const resource = taggedResource(context, arn);
    call.authorize({
      action: 'ecs:TagResource',
      resource: arn,
      context: { ...resource.context, ...requestTagContext(tags) },
    });
    validateTags(tags);
    if (resource.replace === undefined) throw unsupported();
    resource.replace(mergeTags(resource.tags, tags));
    await context.store.flush();
    return {};
  };

export const untagResource =
  (context: EcsContext) =>
  async (request: UntagResourceRequest, call: Call): Promise<UntagResourceResponse> => {
    const arn = request.resourceArn ?? '';
    const keys = request.tagKeys ?? [];
    const resource = taggedResource(context, arn);
    call.authorize({
      action: 'ecs:UntagResource',
      resource: arn,
      context: { ...resource.context, 'aws:TagKeys': keys },
    });
    if (resource.replace === undefined) throw unsupported();
    resource.replace(resource.tags.filter(({ key }) => !keys.includes(key ?? '')));
    await context.store.flush();
    return {};
  };

export const listTagsForResource =
  (context: EcsContext) =>
  (request: ListTagsForResourceRequest, call: Call): ListTagsForResourceResponse => {
    const arn = request.resourceArn ?? '';
    const resource = taggedResource(context, arn);
    call.authorize({ action: 'ecs:ListTagsForResource', resource: arn, context: resource.context });
    return { tags: [...resource.tags] };
  };
