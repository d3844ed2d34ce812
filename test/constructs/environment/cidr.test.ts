import fc from 'fast-check';
import { parseCidr } from '../../../lib/constructs/environment/cidr';

describe('an IP network', () => {
  it.each([
    ['203.0.113.7', { family: 'ipv4', text: '203.0.113.7/32', prefixLength: 32 }],
    [' 10.0.0.0/8 ', { family: 'ipv4', text: '10.0.0.0/8', prefixLength: 8 }],
    ['0.0.0.0/0', { family: 'ipv4', text: '0.0.0.0/0', prefixLength: 0 }],
    ['::/0', { family: 'ipv6', text: '::/0', prefixLength: 0 }],
    ['2001:db8::/32', { family: 'ipv6', text: '2001:db8::/32', prefixLength: 32 }],
    ['2001:db8::1', { family: 'ipv6', text: '2001:db8::1/128', prefixLength: 128 }],
    ['::ffff:192.0.2.0/120', { family: 'ipv6', text: '::ffff:192.0.2.0/120', prefixLength: 120 }],
  ])('is read from %j', (text, cidr) => {
    expect(parseCidr(text)).toEqual(cidr);
  });

  it.each(['', 'example.com', '203.0.113', '203.0.113.7/32/8', 'fe80::1%eth0', '2001:db8:::1'])(
    '%j is none',
    (text) => {
      expect(() => parseCidr(text)).toThrow('is not an IP network');
    },
  );

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8x', '::/129'])('%j has no valid prefix', (text) => {
    expect(() => parseCidr(text)).toThrow('has no valid prefix length');
  });

  const bytes = (length: number): fc.Arbitrary<number[]> =>
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
  const families = fc.oneof(
    bytes(4).map((address) => ({ address, bits: 32, text: address.join('.') })),
    bytes(16).map((address) => ({ address, bits: 128, text: hexGroups(address) })),
  );

  it('is accepted exactly when no bit is set behind its prefix', () => {
    fc.assert(
      fc.property(families, fc.nat(), ({ address, bits, text }, seed) => {
        const prefix = seed % (bits + 1);
        const binary = address.map((byte) => byte.toString(2).padStart(8, '0')).join('');
        const isNetwork = !binary.slice(prefix).includes('1');

        const read = (): unknown => parseCidr(`${text}/${prefix}`);
        if (isNetwork) expect(read()).toMatchObject({ prefixLength: prefix });
        else expect(read).toThrow('has address bits after its prefix');
      }),
    );
  });

  it('is accepted for every address once the bits behind the prefix are cleared', () => {
    fc.assert(
      fc.property(families, fc.nat(), ({ address, bits }, seed) => {
        const prefix = seed % (bits + 1);
        const cleared = address.map(
          (byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff,
        );
        const text = bits === 32 ? cleared.join('.') : hexGroups(cleared);

        expect(parseCidr(`${text}/${prefix}`).text).toBe(`${text}/${prefix}`);
      }),
    );
  });
});

const hexGroups = (bytes: number[]): string =>
  Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  ).join(':');
