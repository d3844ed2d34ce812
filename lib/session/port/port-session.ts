import type { Duplex } from 'node:stream';
import { MngrFargateError } from '../../contract/errors';
import { abortedError } from '../../util/abort';
import type { Clock } from '../channel/clock';
import type { Conversation } from '../protocol/conversation';
import { FLAG } from '../wire/payload-types';
import type { PortSession, SessionEnd } from '../types';
import { Mux } from './mux';

/** As often as smux's own. */
const KEEP_ALIVE_MS = 10_000;

export interface MultiplexedOptions {
  readonly clock: Clock;
  /** Whether the agent closes connections over which it hears nothing. */
  readonly keepAlive: boolean;
}

/** Any number of connections through one session. */
export class MultiplexedSession implements PortSession {
  readonly ended: Promise<SessionEnd>;
  private readonly mux: Mux;
  private cancelKeepAlive: (() => void) | undefined;
  private end: MngrFargateError | undefined;

  constructor(
    readonly sessionId: string,
    private readonly conversation: Conversation,
    options: MultiplexedOptions,
  ) {
    this.ended = conversation.ended;
    const writing = new WriteQueue(conversation);
    this.mux = new Mux({
      write: (bytes, done) => writing.write(bytes, done),
      consumed: () => conversation.consumed(),
    });
    conversation.listen({
      output: (bytes) => this.received(bytes),
      flag: (flag) => {
        if (flag === FLAG.connectToPortError) this.mux.refusedConnection();
      },
      pending: () => this.mux.pending(),
      over: (error) => this.over(error),
    });
    if (options.keepAlive) this.keepAlive(options.clock);
  }

  connect(signal?: AbortSignal): Promise<Duplex> {
    if (this.end !== undefined) return Promise.reject(this.end);
    if (signal?.aborted) return Promise.reject(abortedError('connecting to the port', signal));
    const stream = this.mux.open();
    if (signal !== undefined) {
      const stop = (): void => void stream.destroy(abortedError('the connection to the port', signal));
      signal.addEventListener('abort', stop, { once: true });
      stream.once('close', () => signal.removeEventListener('abort', stop));
    }
    return Promise.resolve(stream);
  }

  close(): Promise<void> {
    return this.conversation.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private received(bytes: Buffer): void {
    try {
      this.mux.received(bytes);
    } catch (error) {
      const problem = `the agent sent data that is not a multiplexed stream: ${(error as Error).message}`;
      void this.conversation.abort(new MngrFargateError('failed', problem, { cause: error }));
    }
  }

  private over(error: MngrFargateError | undefined): void {
    this.cancelKeepAlive?.();
    this.end = error ?? new MngrFargateError('unreachable', 'the port session is over');
    this.mux.over(this.end);
  }

  private keepAlive(clock: Clock): void {
    this.cancelKeepAlive = clock.after(KEEP_ALIVE_MS, () => {
      this.mux.keepAlive();
      this.keepAlive(clock);
    });
  }
}

type Done = (error?: Error | null) => void;

/** Writes one piece after the other, each whole: frames must not mix. */
class WriteQueue {
  private readonly waiting: (readonly [bytes: Buffer, done: Done])[] = [];
  private busy = false;

  constructor(private readonly conversation: Conversation) {}

  write(bytes: Buffer, done: Done): void {
    this.waiting.push([bytes, done]);
    this.next();
  }

  private next(): void {
    if (this.busy) return;
    const first = this.waiting.shift();
    if (first === undefined) return;
    const [bytes, done] = first;
    this.busy = true;
    this.conversation.write(bytes, (error) => {
      this.busy = false;
      done(error);
      this.next();
    });
  }
}
