const toNumber = (address: string): number =>
  address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);

const toAddress = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

/** An IPv4 block's first address as a number, and how many addresses it has. */
export function parseCidr(block: string): { readonly first: number; readonly size: number } {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(block);
  if (match === null || Number(match[2]) > 32) throw new Error(`"${block}" is not an IPv4 CIDR block`);
  const size = 2 ** (32 - Number(match[2]));
  return { first: Math.floor(toNumber(match[1] as string) / size) * size, size };
}

/** The address at an offset in a block. */
export const addressIn = (block: string, offset: number): string => toAddress(parseCidr(block).first + offset);

/** `Fn::Cidr`: the first `count` blocks of `2^bits` addresses in an IPv4 block. */
export function fnCidr(block: string, count: number, bits: number): string[] {
  const { first, size } = parseCidr(block);
  const step = 2 ** bits;
  if (count * step > size) throw new Error(`Fn::Cidr: ${count} blocks of ${step} addresses don't fit into ${block}`);
  return Array.from({ length: count }, (_, index) => `${toAddress(first + index * step)}/${32 - bits}`);
}
