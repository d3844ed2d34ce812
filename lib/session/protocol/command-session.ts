import { Readable, Writable } from 'node:stream';
import { PAYLOAD } from '../wire/payload-types';
import type { CommandSession, SessionEnd, TerminalSize } from '../types';
import type { Conversation } from './conversation';
import { excessOf, READ_AHEAD_BYTES } from './read-ahead';

/** A command on a terminal. */
export class TerminalSession implements CommandSession {
  readonly input: Writable;
  readonly output: Readable;
  readonly ended: Promise<SessionEnd>;

  constructor(
    readonly sessionId: string,
    private readonly conversation: Conversation,
    size: TerminalSize | undefined,
  ) {
    this.ended = conversation.ended;
    this.input = new Writable({
      write: (chunk: Buffer, _encoding, done) => conversation.write(chunk, done),
      final: (done) => conversation.flush(done),
    });
    this.output = new Readable({ highWaterMark: READ_AHEAD_BYTES, read: () => conversation.consumed() });
    // Errors reach whoever waits for `ended`; streams that nobody listens to must not end the process.
    this.input.on('error', ignore);
    this.output.on('error', ignore);
    conversation.listen({
      output: (bytes, payloadType) => {
        if (payloadType !== PAYLOAD.exitCode && !this.output.destroyed) this.output.push(bytes);
      },
      flag: ignore,
      pending: () => excessOf(this.output),
      over: (error) => {
        if (error === undefined) this.output.push(null);
        else this.output.destroy(error);
        this.input.destroy(error);
      },
    });
    this.output.once('close', () => conversation.consumed());
    if (size !== undefined) this.resize(size);
  }

  resize({ columns, rows }: TerminalSize): void {
    const payload = Buffer.from(JSON.stringify({ cols: columns, rows }));
    void this.conversation.started.then(() => this.conversation.sendControl(PAYLOAD.size, payload), ignore);
  }

  close(): Promise<void> {
    return this.conversation.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const ignore = (): void => undefined;
