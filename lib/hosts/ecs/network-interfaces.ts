import type { NetworkInterface } from '@aws-sdk/client-ec2';
import { inBatches, mapBounded } from '../../util/bounded';
import type { InterfaceAddresses } from '../model/task-view';
import { awsCall } from '../../aws/aws-call';
import { awsErrorOf } from '../../aws/aws-errors';
import type { AwsClients } from '../../aws/clients';

/** The most interfaces that DescribeNetworkInterfaces returns at once. */
export const INTERFACES_PER_CALL = 1000;
const CALLS_AT_ONCE = 4;
/** Lookups requested within this many milliseconds share one call. */
const GATHER_MS = 15;

/** Looks up the addresses of tasks' network interfaces, many per call. An interface that no longer exists has no entry. */
export class NetworkInterfaces {
  private gathered = new Set<string>();
  private pending: Promise<Map<string, InterfaceAddresses>> | undefined;

  constructor(private readonly clients: AwsClients) {}

  /** Looks up one interface. Lookups by several callers at the same time share a call. */
  async find(id: string): Promise<InterfaceAddresses | undefined> {
    this.gathered.add(id);
    this.pending ??= new Promise((resolve, reject) => {
      setTimeout(() => {
        const ids = [...this.gathered];
        this.gathered = new Set();
        this.pending = undefined;
        this.findAll(ids).then(resolve, reject);
      }, GATHER_MS);
    });
    return (await this.pending).get(id);
  }

  async findAll(ids: readonly string[], signal?: AbortSignal): Promise<Map<string, InterfaceAddresses>> {
    const batches = inBatches(ids, INTERFACES_PER_CALL);
    const answers = await mapBounded(batches, CALLS_AT_ONCE, (batch) => this.describe(batch, signal));
    return new Map(answers.flat().map((found) => [found.NetworkInterfaceId ?? '', addressesOf(found)]));
  }

  /** A missing interface fails the whole call. The error names it, and the call is repeated without it. */
  private async describe(ids: readonly string[], signal?: AbortSignal): Promise<NetworkInterface[]> {
    let wanted = ids;
    while (wanted.length > 0) {
      try {
        const ec2 = await this.clients.ec2();
        const ask = (abortSignal?: AbortSignal) => ec2.describeNetworkInterfaces(wanted, abortSignal);
        return await awsCall('look up the addresses of tasks', ask, signal);
      } catch (error) {
        const { name, message = '' } = awsErrorOf(error) ?? {};
        const missing = new Set(name === 'InvalidNetworkInterfaceID.NotFound' ? message.match(/eni-[0-9a-f]+/g) : []);
        if (missing.size === 0) throw error;
        wanted = wanted.filter((id) => !missing.has(id));
      }
    }
    return [];
  }
}

const addressesOf = (found: NetworkInterface): InterfaceAddresses => ({
  publicIp: found.Association?.PublicIp ?? null,
  privateIp: found.PrivateIpAddress ?? null,
  ipv6: found.Ipv6Addresses?.[0]?.Ipv6Address ?? null,
});
