import fc from 'fast-check';
import { attachment } from '../../../lib/sandbox/http/attachment';
import { byteRange } from '../../../lib/sandbox/http/byte-range';

describe('byteRange', () => {
  test.each([
    ['bytes=0-4', 10, { start: 0, end: 4 }],
    ['bytes=4-', 10, { start: 4, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=5-100', 10, { start: 5, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=5-4', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=x-', 10, undefined],
  ])('%s of %d bytes', (header, size, expected) => {
    expect(byteRange(header, size)).toEqual(expected);
  });

  test('a part is within the file, whatever was asked for', () => {
    fc.assert(
      fc.property(fc.nat(), fc.option(fc.nat()), fc.option(fc.nat()), (size, first, last) => {
        const range = byteRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.start).toBeLessThanOrEqual(range.end);
        expect(range.end).toBeLessThan(size);
      }),
    );
  });
});

describe('attachment', () => {
  test('any name is one safe header that gives the name back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const header = attachment(name);
        expect(header).toMatch(/^attachment; filename="[ !#-$&-.0-[\]-~]*"; filename\*=UTF-8''[\w.!~%-]*$/);
        const [, encoded = ''] = header.split("UTF-8''");
        expect(decodeURIComponent(encoded)).toBe(name);
      }),
    );
  });

  test('half a surrogate pair is replaced', () => {
    expect(attachment('a\ud800b')).toContain("filename*=UTF-8''a%EF%BF%BDb");
  });
});
