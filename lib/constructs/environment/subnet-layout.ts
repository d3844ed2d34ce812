import type { AllocateCidrRequest, IIpAddresses, SubnetIpamOptions, VpcIpamOptions } from 'aws-cdk-lib/aws-ec2';
import { parseCidr } from './cidr';

/**
 * Names of the subnet groups, in the order of their addresses. Each has half of the VPC, whether it is in use or not.
 */
export const SUBNET_GROUPS = { public: 'Public', hosts: 'Hosts' } as const;
const GROUPS: readonly string[] = Object.values(SUBNET_GROUPS);

/** Blocks that a VPC is cut into: five bits more than its own prefix, but no block smaller than `/28`, EC2's least. */
const EXTRA_BITS = 5;
const LONGEST_PREFIX = 28;

/** `us-east-1a` → `a`. Undefined for a zone that only the deployment knows, and for Local Zones, which have longer names. */
export const zoneLetter = (zone: string): string | undefined => /^[a-z]+(?:-[a-z]+)+-\d+([a-h])$/.exec(zone)?.[1];

/**
 * Gives each subnet an address block that depends only on its group and zone, never on the number of other subnets, so
 * that no later change of zones or network mode moves a deployed subnet: EC2 refuses a subnet whose addresses another
 * one still has.
 *
 * A zone that is named has the block of its letter, counted from the start of its group's half. A zone that is counted
 * (`maxAzs`) has the block of its position, counted from the end.
 */
export class SubnetLayout implements IIpAddresses {
  private readonly prefixLength: number;
  private readonly blocksPerGroup: number;

  constructor(private readonly vpcCidr: string) {
    const { prefixLength } = parseCidr(vpcCidr);
    this.prefixLength = Math.min(prefixLength + EXTRA_BITS, LONGEST_PREFIX);
    this.blocksPerGroup = 2 ** (this.prefixLength - prefixLength) / GROUPS.length;
  }

  allocateVpcCidr(): VpcIpamOptions {
    return { cidrBlock: this.vpcCidr };
  }

  allocateSubnetsCidr({ requestedSubnets }: AllocateCidrRequest): SubnetIpamOptions {
    return {
      allocatedSubnets: requestedSubnets.map(({ availabilityZone, configuration }, index) => {
        const position = requestedSubnets
          .slice(0, index)
          .filter((other) => other.configuration === configuration).length;
        return { cidr: this.block(configuration.name, availabilityZone, position) };
      }),
    };
  }

  private block(group: string, zone: string, position: number): string {
    const letter = zoneLetter(zone);
    const within = letter === undefined ? this.blocksPerGroup - 1 - position : letter.charCodeAt(0) - 'a'.charCodeAt(0);
    const block = GROUPS.indexOf(group) * this.blocksPerGroup + within;
    const [network = ''] = this.vpcCidr.split('/');
    const first = network.split('.').reduce((address, byte) => address * 256 + Number(byte), 0);
    const address = first + block * 2 ** (32 - this.prefixLength);
    return `${[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')}/${this.prefixLength}`;
  }
}
