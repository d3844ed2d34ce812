import type { Hosts } from '../../hosts/hosts';
import type { Host } from '../../hosts/model/types';
import type { CliContext } from '../context';
import { addJumpOption, collect } from '../global-options';
import { hasColour } from '../io';
import { parseDuration, WAITED_FOR } from '../parse/duration';
import { keyValues } from '../parse/key-value';
import { hostTable } from '../render/host-table';
import type { CommandRegistration } from '../runner';
import { idleTimes } from '../idle-times';
import { shown } from '../watch';

interface ListOptions {
  readonly stopped?: boolean;
  readonly tag?: readonly string[];
  readonly idle?: boolean;
  readonly watch?: boolean;
  readonly interval: string;
}

/** A host with the seconds since its last activity; null when they weren't asked for or this machine can't reach it. */
export type ListedHost = Host & { readonly idleSeconds: number | null };

async function listedHosts(hosts: Hosts, context: CliContext, options: ListOptions): Promise<ListedHost[]> {
  const found = await hosts.list(
    { stopped: options.stopped === true, tags: keyValues(options.tag ?? [], '--tag') },
    { signal: context.signal },
  );
  const wantsIdle = options.idle ?? !context.json;
  const idle = wantsIdle ? await idleTimes(hosts, found, context.signal) : new Map<string, number>();
  return found.map((host) => ({ ...host, idleSeconds: idle.get(host.hostId) ?? null }));
}

async function list(context: CliContext, options: ListOptions): Promise<number> {
  const interval = parseDuration(options.interval, '--interval', WAITED_FOR);
  const { stdout, environment } = context.io;
  return context.withHosts((hosts) =>
    shown(
      context,
      options.watch === true ? interval : undefined,
      () => listedHosts(hosts, context, options),
      (listed) => hostTable(listed, new Date(), hasColour(stdout, environment)),
    ),
  );
}

/** `list` */
export const listCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('list')
    .alias('ls')
    .description('list the hosts: state, age, idle time, size, cost so far, address')
    .option('--stopped', 'also hosts that stopped within the last hour, and why')
    .option('--tag <key=value>', 'only hosts with this tag, repeatable', collect)
    .option('--idle', 'ask the hosts how long they have been idle (the default, but not with --json)')
    .option('--no-idle', "don't ask them")
    .option('--watch', 'update the list until Ctrl-C')
    .option('--interval <duration>', 'time between two updates of --watch', '2s');
  addJumpOption(command).action(runner.action(list));
};
