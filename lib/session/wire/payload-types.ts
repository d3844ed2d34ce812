/** What the payload of a stream message is. */
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
  stderr: 11,
  exitCode: 12,
} as const;

/** Values of a flag payload. */
export const FLAG = { disconnectToPort: 1, terminateSession: 2, connectToPortError: 3 } as const;

export function encodeFlag(flag: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(flag);
  return payload;
}

export const decodeFlag = (payload: Buffer): number => (payload.length >= 4 ? payload.readUInt32BE(0) : 0);
