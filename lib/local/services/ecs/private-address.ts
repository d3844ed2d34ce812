import { addressIn, parseCidr } from '../../template/cidr';

/** AWS keeps the first four addresses of a subnet and the last (VPC user guide, "Subnet sizing"). */
const RESERVED_FIRST = 4;
const RESERVED_LAST = 1;

/** A private address of a subnet for the n-th task. */
export function privateAddress(cidr: string, n: number): string {
  const usable = parseCidr(cidr).size - RESERVED_FIRST - RESERVED_LAST;
  return addressIn(cidr, RESERVED_FIRST + (n % Math.max(1, usable)));
}
