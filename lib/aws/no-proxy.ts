import { BlockList, isIP } from 'node:net';

/** A host without the brackets of an IPv6 address and the final dot of a name. */
const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** This machine's own loopback addresses, which a proxy would take for its own. */
export function isLoopback(host: string): boolean {
  const name = bare(host);
  return (
    name === 'localhost' || name.endsWith('.localhost') || name === '::1' || (isIP(name) === 4 && /^127\./.test(name))
  );
}

/**
 * Whether `NO_PROXY` names a destination. Entries are separated by commas or spaces, as curl reads them: `*` is every
 * host, `example.com` and `.example.com` are the domain and all names below it, an address is itself, `10.0.0.0/8` is a
 * network. Any but a network may end with `:port` and then holds for that port alone.
 */
export function isExcluded(host: string, port: number, noProxy: string): boolean {
  const name = bare(host);
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(name, port, entry.toLowerCase()));
}

function matches(name: string, port: number, entry: string): boolean {
  const [network, bits] = entry.split('/');
  if (network !== undefined && bits !== undefined) return isInNetwork(name, bare(network), bits);
  const [, host = '', only] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (only !== undefined && isIP(entry) !== 6 && Number(only) !== port) return false;
  const pattern = isIP(entry) === 6 ? entry : bare(host).replace(/^\*?\./, '');
  if (pattern === '') return false;
  if (isIP(pattern) > 0) return isIP(name) === isIP(pattern) && isSameAddress(name, pattern);
  return name === pattern || (isIP(name) === 0 && name.endsWith(`.${pattern}`));
}

function isSameAddress(name: string, address: string): boolean {
  const list = new BlockList();
  list.addAddress(address, family(address));
  return list.check(name, family(name));
}

function isInNetwork(name: string, network: string, bits: string): boolean {
  const kind = isIP(network);
  if (kind === 0 || isIP(name) !== kind || !/^\d{1,3}$/.test(bits) || Number(bits) > (kind === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family(network));
  return list.check(name, family(name));
}
