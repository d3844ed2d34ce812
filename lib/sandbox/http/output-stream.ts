import type { OutputPiece, SandboxEvent } from '../model/types';
import { withKeepAlive } from './keep-alive';
import { KEEP_ALIVE_COMMENT_MS } from './limits';
import { OutputText } from './output-text';
import { endView } from './views/event-view';

/** What a stream of a command says, in the order in which it happened. */
export type StreamMessage =
  | { readonly type: 'stdout' | 'stderr'; readonly next: number; readonly data: object }
  | { readonly type: 'gap'; readonly next: number; readonly data: { readonly offset: number; readonly length: number } }
  | { readonly type: 'exit' | 'error'; readonly next: number; readonly data: object }
  | { readonly type: 'alive' };

/** A cut character waits so long for its rest. */
const HOLD_MS = 100;
/** Larger pieces are divided, so that one message is never large. A multiple of four bytes. */
const MESSAGE_BYTES = 64 * 1024;

/**
 * The messages of a stream: output as text, keep-alives on a silent one, and one `exit` or `error` at the end. Without that
 * end it was cut, and the reader comes again with its offset.
 */
export async function* streamMessages(pieces: AsyncIterable<OutputPiece>): AsyncGenerator<StreamMessage, void> {
  const text = new OutputText();
  const silence = () => (text.holds ? HOLD_MS : KEEP_ALIVE_COMMENT_MS);
  for await (const piece of withKeepAlive(pieces, silence)) {
    if (piece !== 'alive') yield* messagesOf(piece, text);
    else if (text.holds) yield* text.flush().map(outputMessage);
    else yield { type: 'alive' };
    if (piece !== 'alive' && piece.type === 'exit') return;
  }
}

function* messagesOf(piece: OutputPiece, text: OutputText): Generator<StreamMessage> {
  switch (piece.type) {
    case 'alive':
      yield piece;
      return;
    case 'gap': {
      yield* text.flush().map(outputMessage);
      const { offset, length } = piece;
      yield { type: 'gap', next: offset + length, data: { offset, length } };
      return;
    }
    case 'exit':
      yield* text.flush().map(outputMessage);
      yield endMessage(piece.event, piece.offset);
      return;
    default:
      for (let at = 0; at < piece.bytes.length; at += MESSAGE_BYTES) {
        const part = piece.bytes.subarray(at, at + MESSAGE_BYTES);
        yield* text.push(piece.type, piece.offset + at, part).map(outputMessage);
      }
  }
}

const outputMessage = ({ stream, next, data }: ReturnType<OutputText['flush']>[number]): StreamMessage => ({
  type: stream,
  next,
  data,
});

/** `exit` for a command that ended; `error` for one that could not be started, or was lost with its host. */
function endMessage(event: SandboxEvent, next: number): StreamMessage {
  const { seq, status, result } = event;
  if (result === null) {
    return { type: 'error', next, data: { error: 'lost', detail: 'the command has no result', seq, status } };
  }
  const end = { seq, status, ...endView(result) };
  if (result.reason !== 'lost' && result.reason !== 'refused') return { type: 'exit', next, data: end };
  return { type: 'error', next, data: { error: result.reason, ...end } };
}

/** As server-sent events (HTML, section 9.2). JSON has no line ends of its own. */
export function asServerSentEvent(message: StreamMessage): string {
  if (message.type === 'alive') return ':\n\n';
  return `id: ${message.next}\nevent: ${message.type}\ndata: ${JSON.stringify(message.data)}\n\n`;
}

/** As a line of JSON. */
export function asJsonLine(message: StreamMessage): string {
  if (message.type === 'alive') return '\n';
  return `${JSON.stringify({ type: message.type, next: message.next, ...message.data })}\n`;
}
