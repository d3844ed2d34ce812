import '../../lib/cli/quiet-aws-sdk';
import { ECSClient } from '@aws-sdk/client-ecs';
import { EcsClient, REAPER_SHARE } from '../../lib/aws/ecs-client';
import { Tasks } from '../../lib/hosts/ecs/tasks';
import { reap } from '../../lib/hosts/reaping/reap';
import { defaultRules } from '../../lib/hosts/reaping/rules';
import { answerWhenTold } from './measured-program';

/** What the program is asked to do, as JSON in its only argument. */
export interface ReaperQuestion {
  readonly cluster: string;
  readonly family: string;
  readonly region: string;
  readonly dryRun?: boolean;
}

export interface ReaperAnswer {
  readonly hosts: number;
  readonly stopped: number;
  readonly milliseconds: number;
}

const { cluster, family, region, dryRun } = JSON.parse(process.argv[2] ?? '') as ReaperQuestion;

async function run(): Promise<ReaperAnswer> {
  const start = performance.now();
  const client = new EcsClient({ ecs: new ECSClient({ region }) }, REAPER_SHARE);
  const { census, complete, stopped } = await reap(new Tasks(client, cluster), {
    rules: defaultRules(family),
    place: { region, publicIp: true },
    dryRun,
    tell: () => undefined,
  });
  if (!complete) throw new Error('the run did not see every task');
  return { hosts: census.hosts, stopped: stopped.expired ?? 0, milliseconds: performance.now() - start };
}

void answerWhenTold(run);
