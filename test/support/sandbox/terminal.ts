import { WebSocket } from 'ws';

/** A terminal's socket, and what has come over it. */
export class Terminal {
  readonly frames: { type: string; [name: string]: unknown }[] = [];
  output = Buffer.alloc(0);
  private changed: () => void = () => undefined;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.output = Buffer.concat([this.output, data]);
      else this.frames.push(JSON.parse(data.toString()));
      this.changed();
    });
    socket.on('close', () => this.changed());
  }

  /** Waits until something holds of what has come. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed after ${this.output.toString()}`);
      await new Promise<void>((resolve) => (this.changed = resolve));
    }
  }

  text = (wanted: string | RegExp) =>
    this.until(() => (typeof wanted === 'string' ? this.output.includes(wanted) : wanted.test(this.output.toString())));
  frame = (type: string) => this.until(() => this.frames.find((frame) => frame.type === type));
}
