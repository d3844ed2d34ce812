import { BlockList, isIPv6 } from 'node:net';
import { lookup } from 'node:dns/promises';

/** Addresses of AWS's own services in every network: instance metadata, DNS, time. */
const ALWAYS_DENIED = [
  '169.254.169.254',
  '169.254.169.253',
  '169.254.169.123',
  'fd00:ec2::254',
  'fd00:ec2::253',
  'fd00:ec2::123',
];
/** The addresses at a network's beginning that AWS keeps to itself; the last one is kept too. */
const RESERVED_AT_START = 4;

const numberOf = (ip: string): number => ip.split('.').reduce((value, byte) => value * 256 + Number(byte), 0);
const addressOf = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');

/** Addresses that the agent forwards nothing to from a task in a network, for example `10.0.0.0/16`. */
export function deniedAddresses(cidr: string): BlockList {
  const denied = new BlockList();
  for (const ip of ALWAYS_DENIED) denied.addAddress(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
  const [network = '', prefix = '32'] = cidr.split('/');
  const first = numberOf(network);
  const last = first + 2 ** (32 - Number(prefix)) - 1;
  denied.addRange(network, addressOf(Math.min(last, first + RESERVED_AT_START - 1)));
  denied.addAddress(addressOf(last));
  return denied;
}

/** The address of a host that may be forwarded to. Rejects with the agent's words for one that may not. */
export async function permittedAddress(host: string, denied: BlockList): Promise<string> {
  const addresses = await lookup(host, { all: true });
  for (const { address, family } of addresses) {
    if (denied.check(address, family === 6 ? 'ipv6' : 'ipv4')) {
      throw new Error(`Forwarding to IP address ${address} is forbidden.`);
    }
  }
  return addresses[0]?.address ?? host;
}
