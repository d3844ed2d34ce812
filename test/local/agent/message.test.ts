import { decodeMessage, encodeMessage, MalformedMessageError } from '../../../lib/local/agent/message';

/** A message that another implementation has written. */
const VECTOR = Buffer.from(
  `00000074696e7075745f73747265616d5f646174612020202020202020202020
   20202020000000010000018bcfe5687b00000000000000000000000000000000
   80b400c04fd430c86ba7b8109dad41d1d53ca1ea7dce87c11432052a8550ed26
   15cf715ca843c89710ed83325b691cba00000003000000157b22636f6c73223a
   38302c22726f7773223a32347d`.replace(/\s/g, ''),
  'hex',
);
const MESSAGE = {
  type: 'input_stream_data',
  createdAt: 1_700_000_000_123,
  sequence: 0,
  flags: 0,
  id: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
  payloadType: 3,
  payload: Buffer.from('{"cols":80,"rows":24}'),
};

describe('a message of the data channel', () => {
  it('is written as others write it', () => {
    expect(encodeMessage(MESSAGE).toString('hex')).toBe(VECTOR.toString('hex'));
  });

  it('is read as others write it', () => {
    expect(decodeMessage(VECTOR)).toEqual(MESSAGE);
  });

  it('may have its type padded with NULs on the left, and any digest', () => {
    const frame = Buffer.from(VECTOR);
    frame.fill(0, 4, 36);
    frame.write('input_stream_data', 36 - 17, 'ascii');
    frame.fill(7, 80, 112);
    expect(decodeMessage(frame)).toEqual(MESSAGE);
  });

  it('is refused without a header, a type or a date', () => {
    const without = (start: number, end: number): Buffer => Buffer.from(VECTOR).fill(0, start, end);
    for (const frame of [Buffer.alloc(3), without(0, 4), without(4, 36), without(40, 48)]) {
      expect(() => decodeMessage(frame)).toThrow(MalformedMessageError);
    }
  });
});
