import { isIPv6 } from 'node:net';
import type { Socket } from 'node:net';

/** What a SOCKS5 client asks for (RFC 1928). */
export interface SocksDestination {
  readonly host: string;
  readonly port: number;
}

const VERSION = 5;
const CONNECT = 1;
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
const ADDRESS = { ipv4: 1, name: 3, ipv6: 4 } as const;
export const SOCKS_REPLY = {
  succeeded: 0,
  failed: 1,
  unreachable: 4,
  notSupported: 7,
  addressNotSupported: 8,
} as const;

/** An answer; the address that was bound is of no use to anybody here. */
export const socksReply = (code: number): Buffer => Buffer.from([VERSION, code, 0, ADDRESS.ipv4, 0, 0, 0, 0, 0, 0]);

/** Reads a client's request. Undefined where it asks for something else than a connection, after it has been told. */
export async function readSocksRequest(socket: Socket): Promise<SocksDestination | undefined> {
  const reader = new Reader(socket);
  const [version, methods = 0] = await reader.take(2);
  if (version !== VERSION) return undefined;
  const offered = await reader.take(methods);
  if (!offered.includes(NO_AUTHENTICATION)) {
    socket.end(Buffer.from([VERSION, NO_ACCEPTABLE_METHOD]));
    return undefined;
  }
  socket.write(Buffer.from([VERSION, NO_AUTHENTICATION]));
  const [, command, , kind] = await reader.take(4);
  const host = await addressOf(reader, kind);
  if (command !== CONNECT || host === undefined) {
    socket.end(socksReply(command === CONNECT ? SOCKS_REPLY.addressNotSupported : SOCKS_REPLY.notSupported));
    return undefined;
  }
  const port = (await reader.take(2)).readUInt16BE();
  reader.release();
  return { host, port };
}

async function addressOf(reader: Reader, kind: number | undefined): Promise<string | undefined> {
  if (kind === ADDRESS.ipv4) return [...(await reader.take(4))].join('.');
  if (kind === ADDRESS.name) {
    const [length = 0] = await reader.take(1);
    return (await reader.take(length)).toString('latin1');
  }
  if (kind !== ADDRESS.ipv6) return undefined;
  const groups = (await reader.take(16)).toString('hex').match(/.{4}/g) ?? [];
  const address = groups.join(':');
  return isIPv6(address) ? address : undefined;
}

/** Takes exact numbers of bytes from a socket; the rest stays in it. */
class Reader {
  constructor(private readonly socket: Socket) {}

  async take(length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = this.socket.read(length) as Buffer | null;
      if (bytes !== null && bytes.length === length) return bytes;
      if (this.socket.destroyed || this.socket.readableEnded) throw new Error('the client disconnected');
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.socket.off('readable', wake).off('end', wake).off('close', wake);
          resolve();
        };
        this.socket.on('readable', wake).on('end', wake).on('close', wake);
      });
    }
  }

  release(): void {
    this.socket.pause();
  }
}
