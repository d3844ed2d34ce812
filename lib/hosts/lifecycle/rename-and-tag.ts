import { MngrFargateError } from '../../contract/errors';
import { HOST_TAGS, MAX_TAGS_PER_TASK, RESERVED_TAG_PREFIX } from '../../contract/tags';
import { checkHostName, checkTags } from '../model/create-request';
import { findTask, hostsOf } from './find';
import { alreadyExists } from '../ecs/launch';
import type { Services } from '../services';
import { isLive, tagsOf } from '../model/task-view';
import type { Host, HostReference } from '../model/types';

async function liveTask(services: Services, reference: HostReference, signal?: AbortSignal) {
  const task = await findTask(services, reference, signal);
  if (isLive(task)) return task;
  throw new MngrFargateError('not-found', `host ${reference} has stopped, so its tags can't be changed any more`);
}

/** Gives a host another name, in ECS and in this machine's record. Its tmux session keeps the first name. */
export async function renameHost(
  services: Services,
  reference: HostReference,
  name: string,
  signal?: AbortSignal,
): Promise<Host> {
  checkHostName(name);
  const task = await liveTask(services, reference, signal);
  const taken = await findTask(services, name, signal).catch((error: MngrFargateError) => {
    if (error.code === 'not-found') return undefined;
    throw error;
  });
  if (taken !== undefined && isLive(taken) && taken.taskArn !== task.taskArn) throw alreadyExists(name, taken);
  await services.tasks.tag(task.taskArn ?? '', { [HOST_TAGS.hostName]: name }, signal);
  const [host] = await hostsOf(services, [task], signal);
  const record = await services.keys.record((host as Host).hostId);
  if (record !== undefined) await services.keys.save({ ...record, name });
  return { ...(host as Host), name };
}

/** Sets and removes users' tags. */
export async function tagHost(
  services: Services,
  reference: HostReference,
  change: { readonly set?: Readonly<Record<string, string>>; readonly remove?: readonly string[] },
  signal?: AbortSignal,
): Promise<Host> {
  const { set = {}, remove = [] } = change;
  checkTags(set);
  const reserved = remove.find((key) => key.startsWith(RESERVED_TAG_PREFIX));
  if (reserved !== undefined)
    throw new MngrFargateError('usage', `tag ${reserved} is the launcher's own and cannot be removed`);
  const task = await liveTask(services, reference, signal);
  const after = { ...tagsOf(task), ...set };
  for (const key of remove) delete after[key];
  if (Object.keys(after).length > MAX_TAGS_PER_TASK) {
    throw new MngrFargateError(
      'usage',
      `the host would have ${Object.keys(after).length} tags, and a task may have ${MAX_TAGS_PER_TASK}`,
    );
  }
  const present = remove.filter((key) => key in tagsOf(task) && !(key in set));
  if (present.length > 0) await services.tasks.untag(task.taskArn ?? '', present, signal);
  if (Object.keys(set).length > 0) await services.tasks.tag(task.taskArn ?? '', set, signal);
  const tags = Object.entries({ ...after, ...set }).map(([key, value]) => ({ key, value }));
  const [host] = await hostsOf(services, [{ ...task, tags }], signal);
  return host as Host;
}
