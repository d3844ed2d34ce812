import type { Host, HostAddress } from './types';

/** Every address at which a host's sshd may answer: the one that `address` shows, then its IPv6 address. */
export function hostAddresses({ address, ipv6 }: Pick<Host, 'address' | 'ipv6'>): readonly HostAddress[] {
  if (address === null) return [];
  return ipv6 === null || ipv6 === address.host ? [address] : [address, { ...address, host: ipv6 }];
}
