import type { Task } from '@aws-sdk/client-ecs';
import { hourlyCost } from '../model/cost';
import { isLive, sizeOf } from '../model/task-view';
import { factsOf, isTagged, nameKeyOf } from './task-facts';

const HOURS_A_DAY = 24;
const CPU_UNITS = 1024;

/** Where the hosts are, for the estimate of their cost. */
export interface Place {
  readonly region: string;
  /** Whether each has a public IPv4 address. */
  readonly publicIp: boolean;
}

/** What a run remembers about the tasks it has seen: counts, and who has which name. A few hundred bytes per host. */
export class Census {
  /** False once a task was listed that could not be described. */
  sawAll = true;
  hosts = 0;
  vcpu = 0;
  dollarsPerDay = 0;
  readonly states = new Map<string, number>();
  /** ARNs of task definitions that live tasks run. */
  readonly definitionsInUse = new Set<string>();
  private readonly holders = new Map<string, string[]>();

  constructor(private readonly place: Place) {}

  add(task: Task): void {
    if (!isLive(task)) return;
    this.definitionsInUse.add(task.taskDefinitionArn ?? '');
    const facts = factsOf(task);
    if (!isTagged(facts)) return;
    this.hosts += 1;
    const state = task.lastStatus ?? 'PROVISIONING';
    this.states.set(state, (this.states.get(state) ?? 0) + 1);
    const size = sizeOf(task, { cpu: 0, memory: 0 });
    this.vcpu += size.cpu / CPU_UNITS;
    this.dollarsPerDay += HOURS_A_DAY * hourlyCost({ ...this.place, ...size });
    const key = nameKeyOf(facts);
    if (key === undefined) return;
    const arns = this.holders.get(key);
    if (arns === undefined) this.holders.set(key, [facts.arn]);
    else if (!arns.includes(facts.arn)) arns.push(facts.arn);
  }

  /** ARNs of hosts that share a name, by name. */
  namesakes(): string[][] {
    return [...this.holders.values()].filter((arns) => arns.length > 1);
  }
}
