import type { Task } from '@aws-sdk/client-ecs';
import { MngrFargateError } from '../../contract/errors';
import { isHostId, parseStartedBy } from '../../contract/host-name';
import { HOST_TAGS } from '../../contract/tags';
import { VISIBLE_AFTER_MS } from '../ecs/visibility';
import { INTERFACES_PER_CALL } from '../ecs/network-interfaces';
import type { NetworkInterfaces } from '../ecs/network-interfaces';
import { parseTaskArn } from '../../contract/task-arn';
import { familyOf } from '../../contract/task-definition-family';
import type { HostRecord } from '../remote/key-store';
import { launchName } from '../services';
import type { Services } from '../services';
import {
  belongsTo,
  hostOf,
  isLive,
  isLiveHost,
  nameOf,
  networkInterfaceIdOf,
  tagsOf,
  olderTaskFirst,
} from '../model/task-view';
import type { InterfaceAddresses } from '../model/task-view';
import { isInScope, isPlaceOf, recordsInScope } from './records';
import type { Host, HostReference, ListFilter } from '../model/types';

/** Milliseconds between two looks for a task that ListTasks doesn't show yet. */
const LIST_INTERVAL_MS = 1_000;

/** Turns tasks into hosts and looks up their addresses: one call for up to a thousand tasks. */
export async function hostsOf(services: Services, tasks: readonly Task[], signal?: AbortSignal): Promise<Host[]> {
  const lookup = new AddressLookup(services.interfaces, signal);
  lookup.add(tasks);
  return withAddresses(services, tasks, await lookup.all());
}

async function withAddresses(
  { config, keys }: Services,
  tasks: readonly Task[],
  addresses: ReadonlyMap<string, InterfaceAddresses>,
): Promise<Host[]> {
  const now = new Date();
  const hosts = tasks.map((task) =>
    hostOf(task, config, { addresses: addresses.get(networkInterfaceIdOf(task) ?? ''), now }),
  );
  const files = await keys.filesOf(hosts.map(({ hostId }) => hostId));
  return hosts.map((host, index) => ({ ...host, ...files[index] }));
}

/** Looks up the addresses of live tasks while others are still being described, with as many in a call as EC2 allows. */
class AddressLookup {
  private ids: string[] = [];
  private readonly answers: Promise<Map<string, InterfaceAddresses>>[] = [];

  constructor(
    private readonly interfaces: NetworkInterfaces,
    private readonly signal: AbortSignal | undefined,
  ) {}

  add(tasks: readonly Task[]): void {
    this.ids.push(...tasks.filter(isLive).flatMap((task) => networkInterfaceIdOf(task) ?? []));
    while (this.ids.length >= INTERFACES_PER_CALL) this.look(this.ids.splice(0, INTERFACES_PER_CALL));
  }

  async all(): Promise<ReadonlyMap<string, InterfaceAddresses>> {
    if (this.ids.length > 0) this.look(this.ids.splice(0));
    const found = await Promise.all(this.answers);
    return new Map(found.flatMap((addresses) => [...addresses]));
  }

  private look(ids: readonly string[]): void {
    const answer = this.interfaces.findAll(ids, this.signal);
    // `all` throws this failure; until then it must not be an unhandled rejection.
    answer.catch(() => undefined);
    this.answers.push(answer);
  }
}

/** Every host of the provider: two calls per hundred tasks of the family, and one per thousand addresses. */
export async function listHosts(services: Services, filter: ListFilter = {}, signal?: AbortSignal): Promise<Host[]> {
  const wanted = Object.entries(filter.tags ?? {});
  const matches = (task: Task): boolean => {
    if (wanted.length === 0) return true;
    const tags = tagsOf(task);
    return wanted.every(([key, value]) => tags[key] === value);
  };
  const lookup = new AddressLookup(services.interfaces, signal);
  const onTasks = (found: readonly Task[]): void =>
    lookup.add(found.filter((task) => isOurs(services, task) && matches(task)));

  const tasks = await familyTasks(services, 'RUNNING', signal, onTasks);
  if (filter.stopped) tasks.push(...(await familyTasks(services, 'STOPPED', signal)));
  // A task that stops between the two listings is in both.
  const distinct = [...new Map(tasks.map((task) => [task.taskArn, task])).values()];
  const hosts = await withAddresses(services, distinct.filter(matches), await lookup.all());
  return hosts.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
}

async function familyTasks(
  services: Services,
  desiredStatus: 'RUNNING' | 'STOPPED',
  signal?: AbortSignal,
  onTasks?: (tasks: readonly Task[]) => void,
): Promise<Task[]> {
  const { config, provider, tasks } = services;
  const filter = { family: familyOf(config.task_definition), desiredStatus };
  const found = await tasks.listAndDescribe(filter, signal, onTasks);
  return found.filter((task) => belongsTo(task, provider, config));
}

/**
 * One host by name, host id or task ARN. A name takes a ListTasks and a DescribeTasks call in a fleet of any
 * size. Only a host that another machine renamed, or that doesn't exist, takes a listing. Throws `not-found`.
 */
export async function findTask(services: Services, reference: HostReference, signal?: AbortSignal): Promise<Task> {
  let task = await lookUp(services, reference, signal);
  if (task === undefined || !isLive(task)) {
    const visibleAt = await visibleAtLatest(services, reference);
    while ((task === undefined || !isLive(task)) && services.tasks.now() < visibleAt) {
      await services.tasks.pause(LIST_INTERVAL_MS, `looking for host ${reference}`, signal);
      task = await lookUp(services, reference, signal);
    }
  }
  if (task !== undefined) return task;
  throw new MngrFargateError('not-found', `there is no host ${reference} of provider ${services.provider}`, {
    hint: '`mngr-fargate list` shows the hosts; stopped ones can be seen for an hour',
  });
}

/**
 * Until when a launch from this machine that nobody heard the end of may still show as a task; milliseconds since 1970, 0
 * if there is no such launch.
 */
async function visibleAtLatest(services: Services, reference: HostReference): Promise<number> {
  const unknown = await recordsInScope(
    services,
    ({ taskArn, hostId, name }) => taskArn === null && [hostId, name].includes(reference),
  );
  return Math.max(0, ...unknown.map((record) => launchedAt(record) + VISIBLE_AFTER_MS));
}

async function lookUp(services: Services, reference: HostReference, signal?: AbortSignal): Promise<Task | undefined> {
  const place = parseTaskArn(reference);
  if (place !== undefined) {
    // ECS rejects an ARN of another cluster as an invalid parameter.
    if (!isPlaceOf(place, services.config)) return undefined;
    const record = (await services.keys.records()).find(({ taskArn }) => taskArn === reference);
    const [task] = await services.tasks.describeLaunched([reference], launchedAt(record), signal);
    return task !== undefined && isOurs(services, task) ? task : undefined;
  }
  return isHostId(reference) ? byHostId(services, reference, signal) : byName(services, reference, signal);
}

const isOurs = ({ provider, config }: Services, task: Task): boolean => belongsTo(task, provider, config);

async function byHostId(services: Services, hostId: string, signal?: AbortSignal): Promise<Task | undefined> {
  const record = await services.keys.record(hostId);
  if (record?.taskArn && (await isInScope(services, record))) {
    const [task] = await services.tasks.describeLaunched([record.taskArn], launchedAt(record), signal);
    if (task !== undefined && isOurs(services, task)) return task;
  }
  const carries = (task: Task): boolean => tagsOf(task)[HOST_TAGS.hostId] === hostId;
  return (
    (await familyTasks(services, 'RUNNING', signal)).find(carries) ??
    (await familyTasks(services, 'STOPPED', signal)).find((task) => hostOf(task, services.config).hostId === hostId)
  );
}

async function byName(services: Services, name: string, signal?: AbortSignal): Promise<Task | undefined> {
  const { tasks } = services;
  const launched = await tasks.named(launchName(services, name), 'RUNNING', signal);
  const recorded = await recordedTasks(services, name, { signal, known: launched });
  const live =
    holderOf(name, [...launched, ...recorded]) ?? holderOf(name, await familyTasks(services, 'RUNNING', signal));
  if (live !== undefined) return live;
  const stopped = await tasks.named(launchName(services, name), 'STOPPED', signal);
  const ended = [...stopped.filter((task) => nameOf(task) === name), ...recorded.filter((task) => !isLive(task))];
  return ended.sort(olderTaskFirst).pop();
}

/**
 * The live host that has the name. Of those launched under it the oldest has it (docs/decisions/002), and so does each that
 * was renamed to it. Throws `usage` with the candidates if that is more than one host.
 */
function holderOf(name: string, tasks: readonly Task[]): Task | undefined {
  const live = tasks.filter((task) => isLiveHost(task, name)).sort(olderTaskFirst);
  const [oldest] = live.filter(wasLaunchedUnder(name));
  const renamed = live.filter((task) => !wasLaunchedUnder(name)(task));
  const byArn = new Map([...(oldest === undefined ? [] : [oldest]), ...renamed].map((task) => [task.taskArn, task]));
  const holders = [...byArn.values()];
  if (holders.length < 2) return holders[0];
  const candidates = holders.map((task) => ({ hostId: tagsOf(task)[HOST_TAGS.hostId] ?? '', taskArn: task.taskArn }));
  throw new MngrFargateError(
    'usage',
    `${holders.length} hosts have the name ${name}: ${candidates.map(({ hostId, taskArn }) => hostId || taskArn).join(', ')}`,
    { hint: 'give the host id instead of the name, or rename one of them by its id', details: { candidates } },
  );
}

const wasLaunchedUnder =
  (name: string) =>
  ({ startedBy = '' }: Task): boolean =>
    parseStartedBy(startedBy)?.hostName === name;

/** Tasks of hosts that this machine knows by the name, renamed ones included, without those that are `known` already. */
export async function recordedTasks(
  services: Services,
  name: string,
  { signal, known = [] }: { readonly signal?: AbortSignal; readonly known?: readonly Task[] } = {},
): Promise<Task[]> {
  const seen = new Set(known.map(({ taskArn }) => taskArn));
  const isWanted = ({ name: recorded, taskArn }: HostRecord): boolean =>
    recorded === name && taskArn !== null && !seen.has(taskArn);
  const records = await recordsInScope(services, isWanted);
  if (records.length === 0) return [];
  const arns = records.flatMap(({ taskArn }) => taskArn ?? []);
  const tasks = await services.tasks.describeLaunched(arns, Math.max(...records.map(launchedAt)), signal);
  return tasks.filter((task) => isOurs(services, task));
}

/** The latest time at which a record's task can have been launched, in milliseconds since 1970. Without a record: long ago. */
const launchedAt = (record: HostRecord | undefined): number => Date.parse(record?.createdAt ?? '') || 0;
