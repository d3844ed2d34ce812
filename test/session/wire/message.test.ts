import fc from 'fast-check';
import type { Message } from '../../../lib/session/wire/message';
import { decodeMessage, encodeMessage } from '../../../lib/session/wire/message';

/** A size message as AWS's clients send it, checked against two implementations of others. */
const VECTOR = Buffer.from(
  `00 00 00 74 69 6e 70 75 74 5f 73 74 72 65 61 6d
   5f 64 61 74 61 20 20 20 20 20 20 20 20 20 20 20
   20 20 20 20 00 00 00 01 00 00 01 8b cf e5 68 7b
   00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
   80 b4 00 c0 4f d4 30 c8 6b a7 b8 10 9d ad 41 d1
   d5 3c a1 ea 7d ce 87 c1 14 32 05 2a 85 50 ed 26
   15 cf 71 5c a8 43 c8 97 10 ed 83 32 5b 69 1c ba
   00 00 00 03 00 00 00 15 7b 22 63 6f 6c 73 22 3a
   38 30 2c 22 72 6f 77 73 22 3a 32 34 7d`.replaceAll(/\s/g, ''),
  'hex',
);
const SIZE: Message = {
  type: 'input_stream_data',
  createdAt: 1_700_000_000_123,
  sequence: 0,
  flags: 0,
  id: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
  payloadType: 3,
  payload: Buffer.from('{"cols":80,"rows":24}'),
};

const messages: fc.Arbitrary<Message> = fc.record({
  type: fc.constantFrom('input_stream_data', 'output_stream_data', 'acknowledge', 'channel_closed', 'of_tomorrow'),
  createdAt: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  sequence: fc.maxSafeNat(),
  flags: fc.nat(3),
  id: fc.uuid(),
  payloadType: fc.nat(),
  payload: fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
});

describe('a message of the data channel', () => {
  test('is written and read as AWS’s clients do', () => {
    expect(encodeMessage(SIZE)).toEqual(VECTOR);
    expect(decodeMessage(VECTOR)).toEqual(SIZE);
  });

  test('is read as it was written', () => {
    fc.assert(fc.property(messages, (message) => expect(decodeMessage(encodeMessage(message))).toEqual(message)));
  });

  test('shares no memory with its payload', () => {
    const payload = Buffer.from('first');
    const frame = encodeMessage({ ...SIZE, payload });
    payload.write('other');
    expect(decodeMessage(frame)?.payload.toString()).toBe('first');
  });

  test.each(['\0', ' '])('may have its type padded with %j on either side', (padding) => {
    const frame = encodeMessage({ ...SIZE, type: `${padding.repeat(3)}acknowledge${padding.repeat(18)}` });
    expect(decodeMessage(frame)?.type).toBe('acknowledge');
  });

  test('is refused when a bit of the payload or its digest has changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 80, max: VECTOR.length - 1 }), fc.nat(7), (at, bit) => {
        fc.pre(at < 112 || at >= 120);
        const damaged = Buffer.from(VECTOR);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << bit), at);
        expect(decodeMessage(damaged)).toBeUndefined();
      }),
    );
  });

  test('is refused, or read somehow, but never throws for any bytes', () => {
    const anything = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    const cut = fc.nat(VECTOR.length).map((length) => VECTOR.subarray(0, length));
    fc.assert(fc.property(fc.oneof(anything, cut), (frame) => expect(() => decodeMessage(frame)).not.toThrow()));
  });

  test.each(['start_publication', 'pause_publication'])('of the service may be without date and digest: %s', (type) => {
    const frame = encodeMessage({ ...SIZE, type, createdAt: 0, payload: Buffer.from('x') });
    frame.fill(0, 80, 112);
    expect(decodeMessage(frame)?.type).toBe(type);
    expect(decodeMessage(encodeMessage({ ...SIZE, createdAt: 0 }))).toBeUndefined();
  });
});
