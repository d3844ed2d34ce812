import type { SessionPeer } from './peer';

const [SYN, FIN, PSH, NOP] = [0, 1, 2, 3];

/** What the task's side of a multiplexed session does with its connections. */
export interface MuxHandler {
  opened?(stream: number, server: MuxServer): void;
  data?(stream: number, bytes: Buffer, server: MuxServer): void;
  ended?(stream: number, server: MuxServer): void;
}

/** The agent's end of smux, written from the protocol and apart from lib/session. */
export class MuxServer {
  pings = 0;
  private rest = Buffer.alloc(0);

  constructor(
    private readonly peer: SessionPeer,
    private readonly handler: MuxHandler,
  ) {
    peer.onReceived = ({ payloadType, payload }) => {
      if (payloadType === 1) this.take(payload);
    };
  }

  send(stream: number, bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length; offset += 32_768)
      this.frame(PSH, stream, bytes.subarray(offset, offset + 32_768));
  }

  finish(stream: number): void {
    this.frame(FIN, stream, Buffer.alloc(0));
  }

  private frame(command: number | undefined, stream: number, payload: Buffer): void {
    const header = Buffer.from([1, command ?? 0, payload.length & 0xff, payload.length >> 8, 0, 0, 0, 0]);
    header.writeUInt32LE(stream, 4);
    this.peer.say(Buffer.concat([header, payload]));
  }

  private take(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= 8) {
      const length = this.rest.readUInt16LE(2);
      if (this.rest.length < 8 + length) return;
      const [version, command] = this.rest;
      if (version !== 1 || length > 32_768) throw new Error('not a frame of smux, version 1');
      const stream = this.rest.readUInt32LE(4);
      const payload = this.rest.subarray(8, 8 + length);
      this.rest = this.rest.subarray(8 + length);
      if (command === SYN) this.handler.opened?.(stream, this);
      else if (command === PSH) this.handler.data?.(stream, payload, this);
      else if (command === FIN) this.handler.ended?.(stream, this);
      else if (command === NOP) this.pings += 1;
    }
  }
}
