import { createHash, randomUUID } from 'node:crypto';

/** What a payload is (Session Manager's data channel). */
export const PAYLOAD = {
  output: 1,
  error: 2,
  size: 3,
  parameter: 4,
  handshakeRequest: 5,
  handshakeResponse: 6,
  handshakeComplete: 7,
  challengeRequest: 8,
  challengeResponse: 9,
  flag: 10,
} as const;

/** What a payload of the type `flag` asks for. */
export const FLAG = { disconnectToPort: 1, terminateSession: 2, connectToPortError: 3 } as const;

/** One binary frame of the data channel. */
export interface Message {
  /** For example `output_stream_data`. */
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly sequence: number;
  /** Bit 0: first message of the stream, bit 1: last. */
  readonly flags: number;
  readonly id: string;
  readonly payloadType: number;
  readonly payload: Buffer;
}

/** Offset of the payload's length, which is what the header gives as its own length. */
const HEADER_LENGTH = 116;
const PAYLOAD_OFFSET = HEADER_LENGTH + 4;
/** Bytes. */
const TYPE_LENGTH = 32;
const SCHEMA_VERSION = 1;

/** A frame can't be read as a message. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

export function newMessage(message: Omit<Message, 'id' | 'createdAt'>): Message {
  return { ...message, id: randomUUID(), createdAt: Date.now() };
}

export function encodeMessage({ type, createdAt, sequence, flags, id, payloadType, payload }: Message): Buffer {
  const frame = Buffer.alloc(PAYLOAD_OFFSET + payload.length);
  frame.writeUInt32BE(HEADER_LENGTH, 0);
  frame.write(type.padEnd(TYPE_LENGTH, ' '), 4, TYPE_LENGTH, 'ascii');
  frame.writeUInt32BE(SCHEMA_VERSION, 36);
  frame.writeBigUInt64BE(BigInt(createdAt), 40);
  frame.writeBigInt64BE(BigInt(sequence), 48);
  frame.writeBigUInt64BE(BigInt(flags), 56);
  swapHalves(Buffer.from(id.replaceAll('-', ''), 'hex')).copy(frame, 64);
  createHash('sha256').update(payload).digest().copy(frame, 80);
  frame.writeUInt32BE(payloadType, 112);
  frame.writeUInt32BE(payload.length, HEADER_LENGTH);
  payload.copy(frame, PAYLOAD_OFFSET);
  return frame;
}

/**
 * Reads a frame as the agent does: the digest isn't checked, and the payload is everything up to the frame's end.
 * Throws MalformedMessageError.
 */
export function decodeMessage(frame: Buffer): Message {
  if (frame.length < PAYLOAD_OFFSET) throw new MalformedMessageError(`a frame of ${frame.length} bytes has no header`);
  const headerLength = frame.readUInt32BE(0);
  if (headerLength === 0 || headerLength + 4 > frame.length) {
    throw new MalformedMessageError(`the header can't be ${headerLength} bytes long`);
  }
  // Clients pad the type with spaces or NULs, on either side.
  const type = frame.toString('ascii', 4, 4 + TYPE_LENGTH).replace(/^[\0 ]+|[\0 ]+$/g, '');
  if (type === '') throw new MalformedMessageError('the message type is empty');
  const createdAt = Number(frame.readBigUInt64BE(40));
  if (createdAt === 0) throw new MalformedMessageError('the created date is 0');
  return {
    type,
    createdAt,
    sequence: Number(frame.readBigInt64BE(48)),
    flags: Number(frame.readBigUInt64BE(56)),
    id: uuidOf(swapHalves(frame.subarray(64, 80))),
    payloadType: frame.readUInt32BE(112),
    payload: frame.subarray(headerLength + 4),
  };
}

/** Message ids are sent with their low half first. */
const swapHalves = (id: Buffer): Buffer => Buffer.concat([id.subarray(8), id.subarray(0, 8)]);

const uuidOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
