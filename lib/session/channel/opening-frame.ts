import { randomUUID } from 'node:crypto';

/** The text frame that a connection begins with. */
export const openingFrame = (token: string, clientVersion: string): string =>
  JSON.stringify({
    MessageSchemaVersion: '1.0',
    RequestId: randomUUID(),
    TokenValue: token,
    ClientId: randomUUID(),
    ClientVersion: clientVersion,
  });
