import { ECSClient } from '@aws-sdk/client-ecs';
import { EcsFleet } from '../../lib/hosts/reaping/fleet';
import { reap } from '../../lib/hosts/reaping/reap';
import { defaultRules } from '../../lib/hosts/reaping/rules';

/** What the program is asked to do, as JSON in its only argument. */
export interface ReaperQuestion {
  readonly cluster: string;
  readonly family: string;
  readonly region: string;
  readonly dryRun?: boolean;
}

/** What it prints, as JSON. */
export interface ReaperAnswer {
  readonly hosts: number;
  readonly stopped: number;
  readonly milliseconds: number;
  /** Peak resident memory of this process, in bytes. */
  readonly peakMemory: number;
}

/** Program of a process of its own for each run, so that peak memory is one run's. */
async function main(): Promise<void> {
  const { cluster, family, region, dryRun } = JSON.parse(process.argv[2] ?? '') as ReaperQuestion;
  const start = performance.now();
  const { census, complete, stopped } = await reap(new EcsFleet(new ECSClient({ region }), cluster, family), {
    rules: defaultRules(family),
    place: { region, publicIp: true },
    dryRun,
    tell: () => undefined,
  });
  if (!complete) throw new Error('the run did not see every task');
  const answer: ReaperAnswer = {
    hosts: census.hosts,
    stopped: stopped.expired ?? 0,
    milliseconds: performance.now() - start,
    peakMemory: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(answer));
}

void main();
