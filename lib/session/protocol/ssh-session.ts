import { Duplex } from 'node:stream';
import { MngrFargateError } from '../../contract/errors';
import type { SessionEnd, SshSession } from '../types';
import type { Conversation } from './conversation';
import { excessOf, READ_AHEAD_BYTES } from './read-ahead';

/** One connection, whose bytes are the session's. */
export class RawSession implements SshSession {
  readonly stream: Duplex;
  readonly ended: Promise<SessionEnd>;

  constructor(
    readonly sessionId: string,
    private readonly conversation: Conversation,
  ) {
    this.ended = conversation.ended;
    this.stream = new Duplex({
      readableHighWaterMark: READ_AHEAD_BYTES,
      read: () => conversation.consumed(),
      write: (chunk: Buffer, _encoding, done) => conversation.write(chunk, done),
      // The protocol has no half-closed connection, and whoever ends one has no use for the session.
      final: (done) => void conversation.close().then(() => done()),
      destroy: (error, done) => {
        void conversation.close();
        done(error);
      },
    });
    this.stream.on('error', () => undefined);
    conversation.listen({
      output: (bytes) => {
        if (!this.stream.destroyed) this.stream.push(bytes);
      },
      flag: () => undefined,
      pending: () => excessOf(this.stream),
      over: (error) => {
        if (error !== undefined) this.stream.destroy(error);
        else this.finish();
      },
    });
    this.stream.once('close', () => conversation.consumed());
  }

  close(): Promise<void> {
    return this.conversation.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The other end is gone: the reader gets what is left, the writer an end. */
  private finish(): void {
    void this.ended.then(({ reason }) => {
      if (reason !== '') {
        const problem = `the session was ended: ${reason.trim()}`;
        this.stream.destroy(new MngrFargateError('unreachable', problem, { details: { reason } }));
        return;
      }
      this.stream.push(null);
      this.stream.end();
    });
  }
}
