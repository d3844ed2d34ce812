/** One event of a stream (HTML, section 9.2.6). */
export interface ServerSentEvent {
  /** Default `message`. */
  readonly event: string;
  readonly data: string;
  /** Undefined if this event has none. */
  readonly id: string | undefined;
}

/** One event is never longer, in characters; a stream that goes on without an end of line is broken. */
const LONGEST = 32 * 1024 * 1024;

/** Takes a stream apart into its events, however it is cut into pieces. What is not complete at the end is dropped. */
export class EventParser {
  private readonly decoder = new TextDecoder();
  private text = '';
  private event = '';
  private data: string[] = [];
  private id: string | undefined;

  /** The events that are complete now. Throws when an event is longer than any can be. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    this.text += this.decoder.decode(bytes, { stream: true });
    const events: ServerSentEvent[] = [];
    let from = 0;
    for (;;) {
      const end = this.lineEnd(from);
      if (end === undefined) break;
      const event = this.line(this.text.slice(from, end.at));
      if (event !== undefined) events.push(event);
      from = end.next;
    }
    this.text = this.text.slice(from);
    if (this.text.length > LONGEST) throw new Error('an event of the stream is too long');
    return events;
  }

  /** Lines end with CR LF, LF or CR. A CR that comes last may yet get its LF. */
  private lineEnd(from: number): { readonly at: number; readonly next: number } | undefined {
    const lf = this.text.indexOf('\n', from);
    const cr = this.text.slice(from, lf === -1 ? undefined : lf).indexOf('\r');
    if (cr === -1) return lf === -1 ? undefined : { at: lf, next: lf + 1 };
    const at = from + cr;
    if (at + 1 === this.text.length) return undefined;
    return { at, next: this.text[at + 1] === '\n' ? at + 2 : at + 1 };
  }

  private line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\u0000')) this.id = value;
    return undefined;
  }

  private dispatch(): ServerSentEvent | undefined {
    const { event, data, id } = this;
    this.event = '';
    this.data = [];
    this.id = undefined;
    return data.length === 0 ? undefined : { event: event === '' ? 'message' : event, data: data.join('\n'), id };
  }
}

/**
 * The events of a body up to its end. Throws when nothing comes for `silenceMs`, not even a comment: the connection is then
 * dead. Closes the body when its reader stops.
 */
export async function* serverSentEvents(
  body: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<ServerSentEvent, void> {
  const parser = new EventParser();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), silenceMs);
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
