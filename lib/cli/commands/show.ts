import type { Host } from '../../hosts/model/types';
import type { CliContext } from '../context';
import { addJumpOption } from '../global-options';
import { idleTimes } from '../idle-times';
import { ageSeconds, stateText } from '../render/host-table';
import { formatAddress, formatCost, formatSeconds, formatSize } from '../render/format';
import { renderTable } from '../render/table';
import type { CommandRegistration } from '../runner';

function hostDetails(host: Host, idleSeconds: number | null, now: Date): string {
  const rows: [string, string | number | null][] = [
    ['name', host.name],
    ['host id', host.hostId],
    ['provider', host.provider],
    ['state', stateText(host)],
    ['age', formatSeconds(ageSeconds(host, now))],
    ['idle', idleSeconds === null ? null : formatSeconds(idleSeconds)],
    ['size', `${formatSize(host)}${host.spot ? ', Fargate Spot' : ''}`],
    ['architecture', host.architecture],
    ['cost so far', `${formatCost(host.costUsd)}, ${formatCost(host.costUsdPerHour)} an hour`],
    ['address', host.address === null ? null : `${host.address.user}@${formatAddress(host.address)}`],
    ['public IP', host.publicIp],
    ['private IP', host.privateIp],
    ['IPv6', host.ipv6],
    ['availability zone', host.availabilityZone],
    ['created', host.createdAt],
    ['started', host.startedAt],
    ['ready', host.readyAt],
    ['expires', host.expiresAt],
    ['stopped', host.stoppedAt],
    ['stop code', host.stopCode],
    ['stopped because', host.stoppedReason],
    ['container', host.containerReason],
    ['exit code', host.exitCode],
    ['task', host.taskArn],
    ['task definition', host.taskDefinitionArn],
    ['image', host.image],
    [
      'tags',
      Object.entries(host.tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ') || null,
    ],
    ['identity file', host.identityFile],
    ['known hosts', host.knownHostsFile],
  ];
  return renderTable(rows.flatMap(([label, value]) => (value === null ? [] : [[label, String(value)]])));
}

interface ShowOptions {
  readonly idle: boolean;
}

async function show(context: CliContext, reference: string, options: ShowOptions): Promise<void> {
  await context.withHosts(async (hosts) => {
    const host = await hosts.get(reference, { signal: context.signal });
    const idle = options.idle ? await idleTimes(hosts, [host], context.signal) : new Map<string, number>();
    const idleSeconds = idle.get(host.hostId) ?? null;
    context.result({ ...host, idleSeconds }, () => hostDetails(host, idleSeconds, new Date()));
  });
}

/** `show NAME` */
export const showCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('show')
    .description('show all details of a host')
    .argument('<host>', 'name, host id or task ARN')
    .option('--no-idle', "don't ask the host over SSH how long it has been idle");
  addJumpOption(command).action(runner.action(show));
};
