import { fromBase64, textOf, utf8 } from './bytes';
import { CommandError, SandboxApiError, UnreachableError } from './errors';
import type { Http } from './http';
import { fromApi } from './names';
import { backoff, pause, reasonOf } from './pause';
import { serverSentEvents } from './server-sent-events';
import type { ServerSentEvent } from './server-sent-events';

/** A piece of a command's output. */
export interface OutputChunk {
  /** `gap`: this many bytes were dropped here, because the command wrote more than is kept. */
  readonly stream: 'stdout' | 'stderr' | 'gap';
  /** Every byte as it was written. Empty for a gap. */
  readonly bytes: Uint8Array;
  /** The same as text; what isn't UTF-8 is replaced. */
  readonly text: string;
  /** Bytes that are missing here: 0 but for a gap. */
  readonly dropped: number;
  /** Offset of the byte after it: `from` of a reader that goes on later. */
  readonly next: number;
  /** The text. */
  toString(): string;
}

/** How a command ended, as its stream tells it. */
export interface CommandExit {
  readonly exitCode: number | null;
  /** Without `SIG`. */
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly reason: 'exit' | 'signal' | 'timeout' | 'lost' | 'refused';
  readonly detail?: string;
  readonly durationMs: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly droppedBytes: number;
}

/** The service sends a comment every 15 s on a silent stream. */
const SILENCE_MS = 45_000;
const LONGEST_BACKOFF_MS = 5_000;

class Chunk implements OutputChunk {
  constructor(
    readonly stream: OutputChunk['stream'],
    readonly bytes: Uint8Array,
    readonly text: string,
    readonly next: number,
    readonly dropped = 0,
  ) {}

  toString(): string {
    return this.text;
  }
}

/**
 * The output of a command from an offset on, live, and how it ended as the generator's result. A stream that ends without the
 * command's end was cut: it is opened again where it stopped, so that every byte comes once. Throws CommandError for a command
 * that was lost or refused, UnreachableError when the service stays away, and what the service refuses.
 */
export async function* commandOutput(
  http: Http,
  place: { readonly path: string; readonly seq: number },
  { from = 0, signal }: { readonly from?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<OutputChunk, CommandExit> {
  const { resumeMs } = http.settings;
  let next = from;
  let failures = 0;
  let lastSuccess = Date.now();
  for (;;) {
    let problem: unknown;
    try {
      const response = await http.response({
        method: 'GET',
        path: `${place.path}/stream`,
        headers: { accept: 'text/event-stream', ...(next > 0 && { 'last-event-id': String(next) }) },
        signal,
      });
      for await (const event of serverSentEvents(bodyOf(response), SILENCE_MS)) {
        if (event.id !== undefined) next = Number(event.id);
        failures = 0;
        lastSuccess = Date.now();
        if (event.event === 'exit') return fromApi(JSON.parse(event.data)) as CommandExit;
        if (event.event === 'error') throw commandError(event, place.seq);
        const chunk = chunkOf(event, next);
        if (chunk !== undefined) yield chunk;
      }
    } catch (error) {
      if (signal?.aborted) throw reasonOf(signal);
      if (error instanceof CommandError || !mayPass(error)) throw error;
      problem = error;
    }
    if (Date.now() - lastSuccess > resumeMs) {
      const why = problem instanceof Error ? `: ${problem.message}` : '';
      throw new UnreachableError(
        `the output of command ${place.seq} was cut at byte ${next}, and cannot be read on${why}`,
        {
          cause: problem,
        },
      );
    }
    if (failures > 0) await pause(backoff(failures, LONGEST_BACKOFF_MS), signal);
    failures += 1;
  }
}

function bodyOf({ body }: Response): ReadableStream<Uint8Array> {
  if (body === null) throw new UnreachableError('the stream of the command has no body');
  return body;
}

/** A lost connection, and a service that is starting or stopping. What a request gets wrong stays wrong. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof SandboxApiError)) return true;
  return error.status === 429 || error.status === 408 || (error.status >= 502 && error.status <= 504);
}

function chunkOf({ event, data }: ServerSentEvent, next: number): OutputChunk | undefined {
  if (event === 'gap') {
    const { length } = JSON.parse(data) as { readonly length: number };
    return new Chunk('gap', new Uint8Array(0), '', next, length);
  }
  // A newer service may say more.
  if (event !== 'stdout' && event !== 'stderr') return undefined;
  const { text, b64 } = JSON.parse(data) as { readonly text?: string; readonly b64?: string };
  if (text !== undefined) return new Chunk(event, utf8(text), text, next);
  const bytes = fromBase64(b64 ?? '');
  return new Chunk(event, bytes, textOf(bytes), next);
}

function commandError({ data }: ServerSentEvent, seq: number): CommandError {
  const { error, reason, detail } = JSON.parse(data) as {
    readonly error?: string;
    readonly reason?: string;
    readonly detail?: string;
  };
  const why = (reason ?? error) === 'refused' ? 'refused' : 'lost';
  const text = why === 'refused' ? 'the command could not be started' : 'the command was lost with its host';
  return new CommandError(why, detail ?? text, seq);
}
