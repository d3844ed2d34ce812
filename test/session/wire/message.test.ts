import fc from 'fast-check';
import type { Message } from '../../../lib/session/wire/message';
import { decodeMessage, encodeMessage } from '../../../lib/session/wire/message';
import { VECTOR_FRAME, VECTOR_MESSAGE } from '../../support/session/message-vector';

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
    expect(encodeMessage(VECTOR_MESSAGE)).toEqual(VECTOR_FRAME);
    expect(decodeMessage(VECTOR_FRAME)).toEqual(VECTOR_MESSAGE);
  });

  test('is read as it was written', () => {
    fc.assert(fc.property(messages, (message) => expect(decodeMessage(encodeMessage(message))).toEqual(message)));
  });

  test('shares no memory with its payload', () => {
    const payload = Buffer.from('first');
    const frame = encodeMessage({ ...VECTOR_MESSAGE, payload });
    payload.write('other');
    expect(decodeMessage(frame)?.payload.toString()).toBe('first');
  });

  test.each(['\0', ' '])('may have its type padded with %j on either side', (padding) => {
    const frame = encodeMessage({ ...VECTOR_MESSAGE, type: `${padding.repeat(3)}acknowledge${padding.repeat(18)}` });
    expect(decodeMessage(frame)?.type).toBe('acknowledge');
  });

  test('is refused when a bit of the payload or its digest has changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 80, max: VECTOR_FRAME.length - 1 }), fc.nat(7), (at, bit) => {
        fc.pre(at < 112 || at >= 120);
        const damaged = Buffer.from(VECTOR_FRAME);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << bit), at);
        expect(decodeMessage(damaged)).toBeUndefined();
      }),
    );
  });

  test('is refused, or read somehow, but never throws for any bytes', () => {
    const anything = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    const cut = fc.nat(VECTOR_FRAME.length).map((length) => VECTOR_FRAME.subarray(0, length));
    fc.assert(fc.property(fc.oneof(anything, cut), (frame) => expect(() => decodeMessage(frame)).not.toThrow()));
  });

  test.each(['start_publication', 'pause_publication'])('of the service may be without date and digest: %s', (type) => {
    const frame = encodeMessage({ ...VECTOR_MESSAGE, type, createdAt: 0, payload: Buffer.from('x') });
    frame.fill(0, 80, 112);
    expect(decodeMessage(frame)?.type).toBe(type);
    expect(decodeMessage(encodeMessage({ ...VECTOR_MESSAGE, createdAt: 0 }))).toBeUndefined();
  });
});
