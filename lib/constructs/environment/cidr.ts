import { isIP } from 'node:net';

/** One IP network in CIDR notation. */
export interface Cidr {
  readonly family: 'ipv4' | 'ipv6';
  /** The network's text, always with a prefix length: `203.0.113.7/32`. */
  readonly text: string;
  readonly prefixLength: number;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/**
 * Reads a network such as `203.0.113.0/24` or `2001:db8::/48`. An address alone stands for itself (`/32` or `/128`).
 * An address with bits behind the prefix is refused, since `203.0.113.7/24` may mean either one machine or 256.
 *
 * @throws Error that says what to write instead
 */
export function parseCidr(text: string): Cidr {
  const [address = '', prefix, ...rest] = text.trim().split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) {
    throw new Error(
      `${JSON.stringify(text)} is not an IP network: use CIDR notation, for example 203.0.113.7/32 or 2001:db8::/48`,
    );
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const bits = BITS[family];
  const prefixLength = prefix === undefined ? bits : Number(prefix);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || prefixLength > bits)) {
    throw new Error(`${JSON.stringify(text)} has no valid prefix length: use 0 to ${bits} for ${family}`);
  }
  if (!isNetworkAddress(address, prefixLength, family)) {
    throw new Error(
      `${JSON.stringify(text)} has address bits after its prefix: use ${address}/${bits} for that one address, ` +
        `or the network's first address with /${prefixLength}`,
    );
  }
  return { family, text: `${address}/${prefixLength}`, prefixLength };
}

/** Each network once, whatever its spelling: EC2 refuses a rule that a security group already has. */
export function distinctCidrs(cidrs: readonly Cidr[]): Cidr[] {
  const bytesOf = ({ family, text }: Cidr): readonly number[] => {
    const [address = ''] = text.split('/');
    return family === 'ipv4' ? ipv4Bytes(address) : ipv6Bytes(address);
  };
  const byNetwork = new Map<string, Cidr>();
  for (const cidr of cidrs) {
    const key = `${cidr.family} ${bytesOf(cidr).join('.')}/${cidr.prefixLength}`;
    if (!byNetwork.has(key)) byNetwork.set(key, cidr);
  }
  return [...byNetwork.values()];
}

/**
 * Blocks of IPv4 in which no VPC and no client can be: "this network", loopback, link-local (where AWS has its own
 * services), multicast and what is reserved beyond (Amazon VPC user guide, "VPC CIDR blocks"; RFC 6890).
 */
const UNUSABLE_IPV4 = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'] as const;

/** The unusable block that an IPv4 network lies in. Undefined for others, and for a network that is larger than it. */
export function unusableBlockOf({ family, text, prefixLength }: Cidr): string | undefined {
  if (family === 'ipv6') return undefined;
  const number = (address = ''): number => ipv4Bytes(address).reduce((sum, byte) => sum * 256 + byte, 0);
  const [address] = text.split('/');
  return UNUSABLE_IPV4.find((block) => {
    const [first, length] = block.split('/');
    const size = 2 ** (32 - Number(length));
    return prefixLength >= Number(length) && Math.floor(number(address) / size) === number(first) / size;
  });
}

/**
 * What is wrong with an IPv4 network for a VPC; undefined for one that EC2 takes.
 *
 * @param text in CIDR notation
 */
export function vpcCidrProblem(text: string): string | undefined {
  const form = 'use IPv4 with /16 to /24, for example 10.0.0.0/16';
  let cidr: Cidr;
  try {
    cidr = parseCidr(text);
  } catch (error) {
    return (error as Error).message;
  }
  if (cidr.family === 'ipv6' || cidr.prefixLength < 16 || cidr.prefixLength > 24) {
    return `${JSON.stringify(text)} is not a network for a VPC: ${form}`;
  }
  const block = unusableBlockOf(cidr);
  return block === undefined
    ? undefined
    : `${JSON.stringify(text)} can't be the network of a VPC, as ${block} is reserved: ${form}`;
}

/** True when all bits behind the prefix are zero. */
function isNetworkAddress(address: string, prefixLength: number, family: 'ipv4' | 'ipv6'): boolean {
  const bytes = family === 'ipv4' ? ipv4Bytes(address) : ipv6Bytes(address);
  const bitIsSet = (bit: number): boolean => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
  return Array.from({ length: BITS[family] - prefixLength }, (_, index) => prefixLength + index).every(
    (bit) => !bitIsSet(bit),
  );
}

const ipv4Bytes = (address: string): number[] => address.split('.').map(Number);

/** The 16 bytes of an IPv6 address that `net.isIP` accepted; `::` and a dotted tail included. */
function ipv6Bytes(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (group.includes('.')) return ipv4Bytes(group);
          const value = Number.parseInt(group, 16);
          return [value >> 8, value & 0xff];
        });
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  return [...first, ...Array<number>(16 - first.length - last.length).fill(0), ...last];
}
