import { hash } from 'node:crypto';

/** Kinds of messages that clients and agents exchange, and that the service sends. */
export const MESSAGE_TYPES = {
  input: 'input_stream_data',
  output: 'output_stream_data',
  acknowledge: 'acknowledge',
  channelClosed: 'channel_closed',
  startPublication: 'start_publication',
  pausePublication: 'pause_publication',
} as const;

/** One binary message of the data channel. */
export interface Message {
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly sequence: number;
  readonly flags: number;
  /** A UUID. */
  readonly id: string;
  readonly payloadType: number;
  readonly payload: Buffer;
}

const OFFSET = {
  type: 4,
  schemaVersion: 36,
  createdAt: 40,
  sequence: 48,
  flags: 56,
  id: 64,
  digest: 80,
  payloadType: 112,
  payloadLength: 116,
} as const;
/** Bytes. */
const TYPE_LENGTH = 32;
const HEADER_LENGTH = OFFSET.payloadLength;
const PAYLOAD_OFFSET = HEADER_LENGTH + 4;
const SCHEMA_VERSION = 1;

/** The service's own messages, whose other fields may be empty. */
const UNCHECKED: ReadonlySet<string> = new Set([MESSAGE_TYPES.startPublication, MESSAGE_TYPES.pausePublication]);

/** The message as a frame of its own, which shares no memory with the payload. */
export function encodeMessage(message: Message): Buffer {
  const { payload } = message;
  const frame = Buffer.allocUnsafe(PAYLOAD_OFFSET + payload.length);
  frame.writeUInt32BE(HEADER_LENGTH, 0);
  frame.fill(' ', OFFSET.type, OFFSET.schemaVersion);
  frame.write(message.type, OFFSET.type, TYPE_LENGTH, 'ascii');
  frame.writeUInt32BE(SCHEMA_VERSION, OFFSET.schemaVersion);
  writeUInt64(frame, message.createdAt, OFFSET.createdAt);
  writeUInt64(frame, message.sequence, OFFSET.sequence);
  writeUInt64(frame, message.flags, OFFSET.flags);
  swapHalves(Buffer.from(message.id.replaceAll('-', ''), 'hex')).copy(frame, OFFSET.id);
  digest(payload).copy(frame, OFFSET.digest);
  frame.writeUInt32BE(message.payloadType, OFFSET.payloadType);
  frame.writeUInt32BE(payload.length, OFFSET.payloadLength);
  payload.copy(frame, PAYLOAD_OFFSET);
  return frame;
}

/** The message of a frame; undefined for one that is damaged or cut short. The payload is a view of the frame. */
export function decodeMessage(frame: Buffer): Message | undefined {
  if (frame.length < PAYLOAD_OFFSET) return undefined;
  const headerLength = frame.readUInt32BE(0);
  // The payload begins where the header says. Every known version has the same header.
  if (headerLength < HEADER_LENGTH || frame.length < headerLength + 4) return undefined;
  const type = trimmed(frame.toString('latin1', OFFSET.type, OFFSET.schemaVersion));
  const message: Message = {
    type,
    createdAt: readUInt64(frame, OFFSET.createdAt),
    sequence: readUInt64(frame, OFFSET.sequence),
    flags: readUInt64(frame, OFFSET.flags),
    id: uuid(swapHalves(frame.subarray(OFFSET.id, OFFSET.digest))),
    payloadType: frame.readUInt32BE(OFFSET.payloadType),
    payload: frame.subarray(headerLength + 4),
  };
  if (UNCHECKED.has(type)) return message;
  if (type === '' || message.createdAt === 0) return undefined;
  // As the official client does, a payload that calls itself empty goes without a digest.
  const hasPayload = frame.readUInt32BE(OFFSET.payloadLength) !== 0;
  if (hasPayload && !digest(message.payload).equals(frame.subarray(OFFSET.digest, OFFSET.payloadType)))
    return undefined;
  return message;
}

/** Padding is spaces or NULs, on either side. */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isPadding(text.charCodeAt(start))) start++;
  while (end > start && isPadding(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isPadding = (code: number): boolean => code === 0 || code === 0x20;

const digest = (payload: Buffer): Buffer => hash('sha256', payload, 'buffer');

/** The wire has the low half of a UUID first. */
const swapHalves = (id: Buffer): Buffer => Buffer.concat([id.subarray(8), id.subarray(0, 8)]);

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const TWO_TO_32 = 2 ** 32;

function writeUInt64(frame: Buffer, value: number, offset: number): void {
  frame.writeUInt32BE(Math.floor(value / TWO_TO_32), offset);
  frame.writeUInt32BE(value % TWO_TO_32, offset + 4);
}

const readUInt64 = (frame: Buffer, offset: number): number =>
  frame.readUInt32BE(offset) * TWO_TO_32 + frame.readUInt32BE(offset + 4);
