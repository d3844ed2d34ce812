import { PassThrough, Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { RecordReader } from './record-reader';

/** Runs a command in a container, to its end; all bytes of its streams stay as they are. */
export type RunInContainer = (
  command: readonly string[],
  streams: {
    readonly stdin?: Readable;
    readonly stdout: Writable;
    readonly stderr: Writable;
    readonly signal: AbortSignal;
  },
) => Promise<unknown>;

export interface ScriptRequest {
  readonly script: string;
  readonly args: readonly string[];
  readonly stdin?: Readable;
  readonly signal?: AbortSignal;
}

/** How many characters are kept of what a failed script wrote to stderr. */
const STDERR_CHARACTERS = 500;

/**
 * Runs one of the copy scripts while `work` reads what it sends; when `work` fails, the script is ended. What the script's run
 * fails with goes before what `work` makes of the broken stream.
 */
export async function withScript<Result>(
  run: RunInContainer,
  { script, args, stdin, signal }: ScriptRequest,
  work: (reader: RecordReader) => Promise<Result>,
): Promise<Result> {
  const output = new PassThrough();
  output.on('error', () => undefined);
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const stderr = new Tail();
  let problem: unknown;
  const running = run(['sh', '-c', script, 'mngr-cp', ...args], { stdin, stdout: output, stderr, signal: either }).then(
    () => void output.end(),
    (error: unknown) => {
      problem = error;
      output.destroy();
    },
  );
  try {
    const result = await work(new RecordReader(output as AsyncIterable<Buffer>));
    // It has nothing more to say, and ends by itself.
    output.resume();
    await running;
    return result;
  } catch (error) {
    // Only an end of the script that came by itself explains the failure.
    const itself = problem;
    if (itself !== undefined && isMngrFargateError(itself)) throw itself;
    throw isMngrFargateError(error) && stderr.text !== ''
      ? new MngrFargateError(error.code, `${error.message}: ${stderr.text}`, { cause: error, hint: error.hint })
      : error;
  } finally {
    stop.abort();
    output.destroy();
    stdin?.destroy();
    await running;
  }
}

/** Keeps the end of what is written. */
class Tail extends Writable {
  private kept = '';

  get text(): string {
    return this.kept.trim();
  }

  override _write(piece: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.kept = (this.kept + piece.toString('utf8')).slice(-STDERR_CHARACTERS);
    done();
  }
}
