/** One line as the engine logged it; `stamp` is nanoseconds since 1970. */
export interface EngineLogLine {
  readonly stamp: bigint;
  readonly bytes: number;
  readonly message: string;
}

/**
 * Reads what an engine answers to a container's logs with timestamps: frames of an 8-byte header (stream, 0, 0, 0,
 * length as big-endian 32 bits) and a payload (Docker Engine API, ContainerAttach "stream format"), whose lines begin
 * with an RFC 3339 time in nanoseconds.
 */
export function parseEngineLogs(data: Buffer): EngineLogLine[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at + 8 <= data.length;) {
    const length = data.readUInt32BE(at + 4);
    payloads.push(data.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(payloads)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): EngineLogLine {
  const space = line.indexOf(' ');
  const message = space < 0 ? '' : line.slice(space + 1).replace(/\r$/, '');
  const stamp = nanoseconds(space < 0 ? line : line.slice(0, space));
  return { stamp, bytes: Buffer.byteLength(message) + 1, message };
}

/** `2026-11-21T06:00:00.000000001Z`, with any number of decimals and with an offset instead of Z. */
function nanoseconds(text: string): bigint {
  const [, seconds = '', decimals = '', zone = ''] = /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  return BigInt(Date.parse(`${seconds}${zone}`)) * 1_000_000n + BigInt(decimals.padEnd(9, '0').slice(0, 9) || 0);
}
