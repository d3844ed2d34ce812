import type { FaultPlan } from '../../control/faults';
import type { Throttles } from '../../control/throttles';
import type { Clock } from '../../state/clock';
import type { Store } from '../../state/store';
import type { World } from '../../world';
import { network } from '../ec2/network';
import type { Network } from '../ec2/network';
import { networkInterfaces } from '../ec2/network-interfaces';
import type { NetworkInterfaces } from '../ec2/network-interfaces';
import { EcsArns } from './arns';
import { ClientTokens } from './client-tokens';
import { clusters } from './clusters';
import type { Clusters } from './clusters';
import { TaskLifecycle } from './lifecycle';
import { ecsServices } from './services/services';
import type { Services } from './services/services';
import { taskDefinitions } from './task-definitions';
import type { TaskDefinitions } from './task-definitions';
import { Tasks } from './tasks';

/** What ECS's operations work with. */
export interface EcsContext {
  readonly arns: EcsArns;
  readonly clusters: Clusters;
  readonly definitions: TaskDefinitions;
  readonly tasks: Tasks;
  readonly services: Services;
  readonly tokens: ClientTokens;
  readonly lifecycle: TaskLifecycle;
  readonly network: Network;
  readonly interfaces: NetworkInterfaces;
  readonly throttles: Throttles;
  readonly faults: FaultPlan;
  readonly clock: Clock;
  readonly store: Store;
}

export function ecsContext(world: World): EcsContext {
  const { clock, store, place, throttles, faults } = world;
  const arns = new EcsArns(place);
  const tasks = new Tasks(store, clock);
  return {
    arns,
    clusters: world.part(clusters),
    definitions: world.part(taskDefinitions),
    tasks,
    services: world.part(ecsServices),
    tokens: new ClientTokens(store, clock),
    lifecycle: new TaskLifecycle(world, tasks, arns),
    network: world.part(network),
    interfaces: world.part(networkInterfaces),
    throttles,
    faults,
    clock,
    store,
  };
}
