import { createHash, randomBytes } from 'node:crypto';

/**
 * Messages of the data channel as an agent reads and writes them. Written from AWS's description alone and apart from
 * lib/session, so that a mistake there isn't made twice.
 */
export interface Frame {
  readonly type: string;
  readonly sequence: number;
  readonly payloadType: number;
  readonly payload: Buffer;
  /** As on the wire: halves swapped. */
  readonly rawId: Buffer;
}

export function writeFrame(frame: Pick<Frame, 'type' | 'sequence' | 'payloadType' | 'payload'>, flags = 0n): Buffer {
  const { type, sequence, payloadType, payload } = frame;
  const numbers = (...values: (readonly [bytes: 4 | 8, value: bigint])[]): Buffer =>
    Buffer.concat(values.map(([bytes, value]) => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')));
  return Buffer.concat([
    numbers([4, 116n]),
    Buffer.from(type.padEnd(32, ' ')),
    numbers([4, 1n], [8, BigInt(Date.now())], [8, BigInt(sequence)], [8, flags]),
    randomBytes(16),
    createHash('sha256').update(payload).digest(),
    numbers([4, BigInt(payloadType)], [4, BigInt(payload.length)]),
    payload,
  ]);
}

export function readFrame(bytes: Buffer): Frame {
  if (bytes.readInt32BE(0) !== 116 || bytes.readInt32BE(36) !== 1) throw new Error('not a message of a client');
  if (bytes.readBigInt64BE(40) <= 0n) throw new Error('a message without a date');
  const payload = bytes.subarray(120);
  if (payload.length !== bytes.readInt32BE(116)) throw new Error('the length of the payload is wrong');
  const digest = createHash('sha256').update(payload).digest();
  if (!digest.equals(bytes.subarray(80, 112))) throw new Error('the digest of the payload is wrong');
  return {
    type: bytes.toString('latin1', 4, 36).trim(),
    sequence: Number(bytes.readBigInt64BE(48)),
    payloadType: bytes.readInt32BE(112),
    payload,
    rawId: bytes.subarray(64, 80),
  };
}

/** The UUID of a message, as acknowledgements name it. */
export function idOf({ rawId }: Frame): string {
  const hex = Buffer.concat([rawId.subarray(8), rawId.subarray(0, 8)]).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
