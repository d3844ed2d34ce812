import { EventEmitter } from 'node:events';
import { CallLog } from './control/call-log';
import { DelayPlan } from './control/delays';
import { FaultPlan } from './control/faults';
import { Throttles } from './control/throttles';
import { DEFAULT_ACCOUNT_ID, DEFAULT_REGION } from './defaults';
import { Iam } from './iam/iam';
import type { TaskRuntime } from './runtimes/runtime';
import { deployment } from './services/cloudformation/deployment';
import { Clock } from './state/clock';
import { Store } from './state/store';
import type { Assembly } from './template/assembly';
import type { Stack } from './template/stack';

export interface WorldOptions {
  readonly assembly: Assembly;
  readonly stackName: string;
  readonly runtime: TaskRuntime;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Default `000000000000`. */
  readonly accountId?: string;
  /** Where the state is saved; without it nothing is saved. */
  readonly stateDirectory?: string;
  /** Is told of errors that are the endpoint's own fault. Default: they go to standard error. */
  readonly onFault?: (error: unknown) => void;
}

/** The account and region that the endpoint stands for, and the stack that is deployed there. */
export interface WorldPlace {
  readonly region: string;
  readonly accountId: string;
  readonly stackName: string;
}

/** What one service tells the others. */
export interface WorldEvents {
  /** A task of ECS or one of its containers has changed; `status` is the task's, for example `RUNNING`. */
  taskStatus: [{ readonly taskArn: string; readonly taskId: string; readonly status: string }];
}

/** Creates a part of the world that several services share. */
export type Part<T> = (world: World) => T;

/**
 * What every service and the control API are made from. A service keeps its state in collections of its own in the
 * store, and shares it as a part: `world.part(taskDefinitions)` is the same object for everyone who asks.
 */
export class World {
  readonly clock = new Clock();
  readonly delays = new DelayPlan();
  readonly faults = new FaultPlan();
  readonly throttles = new Throttles();
  readonly callLog = new CallLog();
  readonly events = new EventEmitter<WorldEvents>();
  readonly iam: Iam;
  readonly place: WorldPlace;
  readonly assembly: Assembly;
  readonly runtime: TaskRuntime;
  readonly stateDirectory: string | undefined;
  readonly onFault: (error: unknown) => void;
  private readonly parts = new Map<Part<unknown>, unknown>();

  private constructor(
    options: WorldOptions,
    readonly store: Store,
  ) {
    const { assembly, runtime, stateDirectory, stackName, region = DEFAULT_REGION } = options;
    this.place = { region, accountId: options.accountId ?? DEFAULT_ACCOUNT_ID, stackName };
    this.assembly = assembly;
    this.runtime = runtime;
    this.stateDirectory = stateDirectory;
    this.onFault = options.onFault ?? ((error) => console.error(error));
    this.iam = new Iam(this);
    // One listener per open session isn't a leak.
    this.events.setMaxListeners(0);
  }

  /** Reads the state that an earlier endpoint left, and deploys the assembly's stack. */
  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options, await Store.open(options.stateDirectory));
    world.part(deployment);
    return world;
  }

  /** The deployed stack. */
  get stack(): Stack {
    return this.part(deployment).stack;
  }

  /** The part that `make` makes; made once, when it is first asked for. */
  part<T>(make: Part<T>): T {
    if (!this.parts.has(make)) this.parts.set(make, make(this));
    return this.parts.get(make) as T;
  }
}
