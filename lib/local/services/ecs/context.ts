import type { Clock } from '../../state/clock';
import type { FaultPlan } from '../../control/faults';
import type { Throttles } from '../../control/throttles';
import type { Network } from '../ec2/network';
import type { NetworkInterfaces } from '../ec2/network-interfaces';
import type { Store } from '../../state/store';
import type { EcsArns } from './arns';
import type { ClientTokens } from './client-tokens';
import type { Clusters } from './clusters';
import type { TaskLifecycle } from './lifecycle';
import type { TaskDefinitions } from './task-definitions';
import type { Tasks } from './tasks';

/** What ECS's operations work with. */
export interface EcsContext {
  readonly arns: EcsArns;
  readonly clusters: Clusters;
  readonly definitions: TaskDefinitions;
  readonly tasks: Tasks;
  readonly tokens: ClientTokens;
  readonly lifecycle: TaskLifecycle;
  readonly network: Network;
  readonly interfaces: NetworkInterfaces;
  readonly throttles: Throttles;
  readonly faults: FaultPlan;
  readonly clock: Clock;
  readonly store: Store;
}
