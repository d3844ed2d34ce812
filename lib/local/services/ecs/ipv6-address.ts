/**
 * The IPv6 address of a task that listens at an IPv4 address of this machine: the same address in IPv6's notation
 * (RFC 4291, section 2.5.5.2). A machine has a single IPv6 address on loopback, and tasks need one each.
 */
export const ipv6Of = (ipv4: string): string => `::ffff:${ipv4}`;
