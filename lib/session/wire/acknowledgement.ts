import { randomUUID } from 'node:crypto';
import type { Message } from './message';
import { encodeMessage, MESSAGE_TYPES } from './message';

/** SYN and FIN: a message that is whole by itself. */
const WHOLE = 3;

export const acknowledgementOf = ({ type, id, sequence }: Message): Buffer =>
  encodeMessage({
    type: MESSAGE_TYPES.acknowledge,
    createdAt: Date.now(),
    sequence: 0,
    flags: WHOLE,
    id: randomUUID(),
    payloadType: 0,
    payload: Buffer.from(
      JSON.stringify({
        AcknowledgedMessageType: type,
        AcknowledgedMessageId: id,
        AcknowledgedMessageSequenceNumber: sequence,
        IsSequentialMessage: true,
      }),
    ),
  });

/** The number of the message that an acknowledgement is about; undefined where it names none. */
export function acknowledgedSequence(payload: Buffer): number | undefined {
  const { AcknowledgedMessageSequenceNumber: sequence } = jsonObject(payload);
  return Number.isSafeInteger(sequence) ? (sequence as number) : undefined;
}

/** The members of a JSON object; none for anything else. */
export function jsonObject(payload: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
