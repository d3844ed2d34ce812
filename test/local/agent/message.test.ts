import { decodeMessage, encodeMessage, MalformedMessageError } from '../../../lib/local/agent/message';
import { VECTOR_FRAME, VECTOR_MESSAGE } from '../../support/session/message-vector';

describe('a message of the data channel', () => {
  it('is written as others write it', () => {
    expect(encodeMessage(VECTOR_MESSAGE).toString('hex')).toBe(VECTOR_FRAME.toString('hex'));
  });

  it('is read as others write it', () => {
    expect(decodeMessage(VECTOR_FRAME)).toEqual(VECTOR_MESSAGE);
  });

  it('may have its type padded with NULs on the left, and any digest', () => {
    const frame = Buffer.from(VECTOR_FRAME);
    frame.fill(0, 4, 36);
    frame.write('input_stream_data', 36 - 17, 'ascii');
    frame.fill(7, 80, 112);
    expect(decodeMessage(frame)).toEqual(VECTOR_MESSAGE);
  });

  it('is refused without a header, a type or a date', () => {
    const without = (start: number, end: number): Buffer => Buffer.from(VECTOR_FRAME).fill(0, start, end);
    for (const frame of [Buffer.alloc(3), without(0, 4), without(4, 36), without(40, 48)]) {
      expect(() => decodeMessage(frame)).toThrow(MalformedMessageError);
    }
  });
});
