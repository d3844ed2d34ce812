import { MngrFargateError } from '../../contract/errors';
import { costReport } from '../../hosts/model/cost-report';
import type { Host } from '../../hosts/model/types';
import type { CliContext } from '../context';
import { collect } from '../global-options';
import { parseCostGrouping } from '../parse/cost-grouping';
import { parseSince } from '../parse/duration';
import { keyValues } from '../parse/key-value';
import { costTable } from '../render/cost-table';
import type { CommandRegistration } from '../runner';

interface CostOptions {
  readonly by: string;
  readonly since?: string;
  readonly tag?: readonly string[];
}

/** Every host that a reference means: a name may have been held by several, one after another. */
function named(hosts: readonly Host[], references: readonly string[]): readonly Host[] {
  if (references.length === 0) return hosts;
  const meets = ({ name, hostId, taskArn }: Host, reference: string): boolean =>
    [name, hostId, taskArn].includes(reference);
  const unknown = references.filter((reference) => !hosts.some((host) => meets(host, reference)));
  if (unknown.length > 0) {
    throw new MngrFargateError('not-found', `ECS shows no host ${unknown.join(', ')}`, {
      hint: 'about an hour after hosts stop, ECS forgets them and what they cost',
    });
  }
  return hosts.filter((host) => references.some((reference) => meets(host, reference)));
}

async function cost(context: CliContext, references: readonly string[], options: CostOptions): Promise<void> {
  const grouping = parseCostGrouping(options.by);
  const tags = keyValues(options.tag ?? [], '--tag');
  const since = options.since === undefined ? undefined : parseSince(options.since, new Date());
  const hosts = await context.withHosts((api) => api.list({ stopped: true, tags }, { signal: context.signal }));
  const report = costReport(named(hosts, references), grouping, { since, now: new Date() });
  context.result(report, () => costTable(report));
  if (Object.keys(tags).length > 0 && !context.json) {
    context.note('hosts that were stopped from outside are not counted: ECS deletes the tags of a task that it stops');
  }
}

/** `cost [HOST…]` */
export const costCommand: CommandRegistration = (program, runner) => {
  program
    .command('cost')
    .description('estimate what the hosts cost, by host, day or tag, and what they will cost if they keep running')
    .argument('[host...]', 'names, host ids or task ARNs (default: all hosts)')
    .option('--by <what>', 'host, day or tag=KEY', 'host')
    .option('--since <time>', 'count only from this time on, or only the last 6h')
    .option('--tag <key=value>', 'only hosts with this tag, repeatable', collect)
    .action(runner.action(cost));
};
