import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../state/clock';
import type { Collection } from '../../../state/store';
import type { World } from '../../../world';
import { nameFrom } from '../arns';
import { keyOf } from './record';
import type { LaunchSettings, ServiceDeployment, ServiceRecord } from './record';

/** DescribeServices shows this many events (ECS API, Service.events). */
const MAX_EVENTS = 100;

const digits = (): string =>
  (randomBytes(8).readBigUInt64BE() % 9_000_000_000_000_000_000n).toString().padStart(19, '1');
const uuid = (): string => {
  const hex = randomBytes(16).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

/** Every service that ECS still shows. */
export class Services {
  constructor(
    private readonly records: Collection<ServiceRecord>,
    private readonly clock: Clock,
  ) {}

  /** By name or ARN in a cluster, whatever its status. */
  find(cluster: string, nameOrArn: string): ServiceRecord | undefined {
    return this.records.get(keyOf({ cluster, name: nameFrom(nameOrArn) }));
  }

  all(): IterableIterator<ServiceRecord> {
    return this.records.values();
  }

  ofCluster(cluster: string): ServiceRecord[] {
    return [...this.records.values()].filter((record) => record.cluster === cluster);
  }

  save(record: ServiceRecord): void {
    this.records.set(keyOf(record), record);
  }

  /** Adds an event in ECS's words; `text` follows the service's name. */
  note(record: ServiceRecord, text: string): void {
    const event = { id: uuid(), createdAt: this.clock.now(), message: `(service ${record.name}) ${text}` };
    record.events = [event, ...record.events].slice(0, MAX_EVENTS);
    this.save(record);
  }

  newDeployment(taskDefinition: string, settings: LaunchSettings): ServiceDeployment {
    const id = `ecs-svc/${digits()}`;
    const now = this.clock.now();
    return {
      id,
      taskDefinition,
      launchType: settings.launchType,
      capacityProviderStrategy: settings.capacityProviderStrategy,
      platformVersion: settings.platformVersion,
      networkConfiguration: settings.networkConfiguration,
      createdAt: now,
      updatedAt: now,
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: `ECS deployment ${id} in progress.`,
      failedTasks: 0,
    };
  }
}

export const ecsServices = ({ store, clock }: World): Services =>
  new Services(store.collection<ServiceRecord>('services'), clock);
