import type { Api } from './api';
import { ApiProblem, of } from './api';
import type { EventEnd } from './model';
import { serverSentEvents } from './server-sent-events';

export type OutputPart =
  | { readonly type: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly type: 'gap'; readonly length: number }
  | { readonly type: 'end'; readonly end: EventEnd };

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

/**
 * The output of a command up to its end. A stream that is cut before that goes on where it was: no byte is lost or doubled.
 * Throws the service's refusals, and when the signal fires.
 */
export async function* followOutput(
  api: Api,
  id: string,
  seq: number,
  signal: AbortSignal,
): AsyncGenerator<OutputPart> {
  let from = '0';
  let wait = FIRST_RETRY_MS;
  for (;;) {
    try {
      const headers = { 'last-event-id': from, accept: 'text/event-stream' };
      const response = await api.send(`${of(id)}/events/${seq}/stream`, { headers, signal });
      for await (const event of serverSentEvents(response.body as ReadableStream<Uint8Array>)) {
        const part = partOf(event.type, JSON.parse(event.data) as Record<string, unknown>);
        if (part !== undefined) yield part;
        if (part?.type === 'end') return;
        from = event.id;
        wait = FIRST_RETRY_MS;
      }
    } catch (error) {
      if (signal.aborted || isFinal(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (signal.aborted) return;
    wait = Math.min(2 * wait, LAST_RETRY_MS);
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429;

const encoder = new TextEncoder();

function partOf(type: string, data: Readonly<Record<string, unknown>>): OutputPart | undefined {
  if (type === 'stdout' || type === 'stderr') {
    const { text, b64 } = data as { text?: string; b64?: string };
    return { type, bytes: text === undefined ? fromBase64(b64 ?? '') : encoder.encode(text) };
  }
  if (type === 'gap') return { type, length: Number(data.length) };
  if (type === 'exit' || type === 'error') return { type: 'end', end: data as unknown as EventEnd };
  return undefined;
}

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
