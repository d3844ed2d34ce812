import { clusterNameOf, parseTaskArn } from '../../contract/task-arn';
import type { TaskPlace } from '../../contract/task-arn';
import type { ProviderConfig } from '../../contract/provider-config';
import { KeyStore } from '../remote/key-store';
import type { HostRecord } from '../remote/key-store';
import type { Services } from '../services';

/**
 * This machine's records of hosts that this provider may have in its account, region and cluster. A machine may work
 * with several of them, and hosts with the same name in two of them are unrelated. If the account can't be determined, no
 * record counts.
 */
export async function recordsInScope(
  services: Services,
  wanted: (record: HostRecord) => boolean,
): Promise<readonly HostRecord[]> {
  const records = (await services.keys.records()).filter(wanted);
  const inScope = await Promise.all(records.map((record) => isInScope(services, record)));
  return records.filter((_, index) => inScope[index]);
}

/** True if the record is of a host that this provider may have here. */
export async function isInScope(services: Services, record: HostRecord): Promise<boolean> {
  const { config, provider } = services;
  if (record.provider !== provider) return false;
  // A launch whose outcome is unknown: only the place where it was made is known.
  if (record.taskArn === null)
    return (
      sameOrUnknown(record.region, config.aws_region) &&
      sameOrUnknown(record.cluster, clusterNameOf(config.ecs_cluster))
    );
  const place = parseTaskArn(record.taskArn);
  if (place === undefined || !isPlaceOf(place, config)) return false;
  return place.account === (await services.definitions.account());
}

/** Removes this machine's keys and records of hosts whose tasks are gone for good, with the endpoint that ran them. */
export async function forgetTasks(keyDirectory: string, taskArns: readonly string[]): Promise<void> {
  if (taskArns.length === 0) return;
  const keys = new KeyStore(keyDirectory);
  const gone = new Set(taskArns);
  const records = await keys.records();
  await Promise.all(
    records.filter(({ taskArn }) => taskArn !== null && gone.has(taskArn)).map(({ hostId }) => keys.remove(hostId)),
  );
}

/** Whether a task ran in the provider's region and cluster. Its account is another question. */
export const isPlaceOf = ({ region, cluster }: TaskPlace, config: ProviderConfig): boolean =>
  region === config.aws_region && cluster === clusterNameOf(config.ecs_cluster);

const sameOrUnknown = (recorded: string | undefined, here: string): boolean =>
  recorded === undefined || recorded === here;
