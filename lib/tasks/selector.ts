import { MngrFargateError } from '../contract/errors';
import { clusterNameOf, parseTaskArn } from '../contract/task-arn';

/** Which tasks are meant, and which of their containers. */
export interface TaskSelector {
  /** Name or ARN. */
  readonly cluster: string;
  /** Name or ARN of a service: exactly this one. */
  readonly service?: string;
  /** Family of a task definition, or `family:revision`. */
  readonly family?: string;
  /** A task's id, the beginning of one, or its ARN. */
  readonly task?: string;
  /** Default: the one that is meant when nothing is said (see `containerOf`). */
  readonly container?: string;
}

/** A selector as it is given, before its cluster and its region are known. */
export interface GivenSelector extends Omit<TaskSelector, 'cluster'> {
  readonly cluster?: string;
}

/** What the ARNs of a selector say. Throws `usage` where they contradict each other or the cluster that is given. */
export function placeInSelector(given: GivenSelector): { readonly cluster?: string; readonly region?: string } {
  const places = [
    arnPlace(given.cluster, 'cluster'),
    arnPlace(given.service, 'service'),
    arnPlace(given.task, 'task'),
  ].filter((place) => place !== undefined);
  const regions = new Set(places.map(({ region }) => region));
  if (regions.size > 1) {
    throw new MngrFargateError('usage', `the ARNs name different regions: ${[...regions].join(', ')}`);
  }
  const named = given.cluster === undefined ? undefined : clusterNameOf(given.cluster);
  const clusters = new Set([named, ...places.map(({ cluster }) => cluster)].filter((name) => name !== undefined));
  if (clusters.size > 1) {
    throw new MngrFargateError('usage', `the task or service is not of cluster ${named ?? ''}`, {
      hint: 'leave --cluster out: an ARN says which cluster it is of',
      details: { clusters: [...clusters] },
    });
  }
  const [region] = regions;
  const [cluster] = clusters;
  return { cluster: given.cluster ?? cluster, region };
}

/** Where a thing is, as its ARN says; undefined for a name. Throws `usage` for what begins like an ARN but isn't one. */
function arnPlace(
  text: string | undefined,
  kind: 'cluster' | 'service' | 'task',
): { readonly cluster?: string; readonly region: string } | undefined {
  if (text === undefined || !text.startsWith('arn:')) return undefined;
  if (kind === 'task') {
    const task = parseTaskArn(text);
    if (task !== undefined) return task;
  }
  // A service or task from before 2018's longer ARNs doesn't say its cluster.
  const [, region, resource = ''] =
    new RegExp(`^arn:[\\w-]+:ecs:([\\w-]+):\\d{12}:${kind}/([^/]+(?:/[^/]+)?)$`).exec(text) ?? [];
  if (region === undefined) {
    throw new MngrFargateError('usage', `${JSON.stringify(text)} is not the ARN of a ${kind}`, {
      hint: `give the ${kind}'s name${kind === 'task' ? ' or id' : ''}, or arn:aws:ecs:REGION:ACCOUNT:${kind}/…`,
    });
  }
  const parts = resource.split('/');
  if (kind === 'cluster') return { region, cluster: parts[0] };
  return { region, cluster: parts.length === 2 ? parts[0] : undefined };
}

/** A selector in words, for messages: `service web in cluster shop`. */
export function selectorText({ cluster, service, family, task }: TaskSelector): string {
  const named = [
    service === undefined ? undefined : `service ${service.split('/').pop() ?? ''}`,
    family === undefined ? undefined : `family ${family}`,
    task === undefined ? undefined : `task ${task.split('/').pop() ?? ''}`,
  ].filter((part) => part !== undefined);
  return [...named, `cluster ${clusterNameOf(cluster)}`].join(' in ').replace(/ in (?=family|task)/g, ' and ');
}
