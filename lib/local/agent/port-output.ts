import { setTimeout as sleep } from 'node:timers/promises';
import { CHUNK } from './data-channel';
import { PAYLOAD } from './message';
import type { PluginSession } from './plugin';

/** Milliseconds that the agent lets pass after each read of a port. */
const BETWEEN_READS = 1;

/** Sends what a port gave, a kilobyte at a time. */
export async function sendPortData(session: PluginSession, data: Buffer): Promise<void> {
  for (let start = 0; start < data.length; start += CHUNK) {
    await session.send(PAYLOAD.output, data.subarray(start, start + CHUNK));
    if (session.paced) await sleep(BETWEEN_READS);
  }
}

export async function sendFlag(session: PluginSession, flag: number): Promise<void> {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(flag);
  await session.send(PAYLOAD.flag, payload);
}

export const flagOf = (payload: Buffer): number => (payload.length >= 4 ? payload.readUInt32BE(0) : 0);
