import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ModelReply } from './model-server';
import { ModelServer } from './model-server';

interface MessagesRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string | readonly ContentBlock[] }[];
  readonly tools?: readonly unknown[];
}

type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'tool_result'; readonly content?: unknown };

const USAGE = { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 };

/** Anthropic's Messages API, as Claude Code and OpenCode speak it: streams of server-sent events. */
export class AnthropicServer extends ModelServer {
  protected readonly paths = { 'POST /v1/messages': 'answer', 'POST /v1/messages/count_tokens': 'count' } as const;

  /** The text of the last turn of the user, without what programs add to it in tags of their own. */
  protected lastText(body: unknown): string | undefined {
    const { messages, tools } = body as MessagesRequest;
    // Calls without tools are the program's own: titles, summaries, a test of the key.
    if (tools === undefined || tools.length === 0) return undefined;
    const last = messages.filter(({ role }) => role === 'user').at(-1);
    const blocks = typeof last?.content === 'string' ? [last.content] : (last?.content ?? []).map(textOf);
    return blocks.filter((text) => text !== '' && !text.startsWith('<system-reminder>')).join('\n');
  }

  protected write(response: ServerResponse, body: unknown, reply: ModelReply): void {
    const { model, stream } = body as MessagesRequest;
    const block: ContentBlock =
      reply.tool === undefined
        ? { type: 'text', text: reply.text }
        : { type: 'tool_use', id: `toolu_${randomBytes(8).toString('hex')}`, ...reply.tool };
    const message = {
      id: `msg_${randomBytes(8).toString('hex')}`,
      type: 'message',
      role: 'assistant',
      model,
      stop_reason: reply.tool === undefined ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: USAGE,
    };
    if (stream !== true) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...message, content: [block] }));
      return;
    }
    const empty = block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
    const delta =
      block.type === 'text'
        ? { type: 'text_delta', text: block.text }
        : { type: 'input_json_delta', partial_json: JSON.stringify(reply.tool?.input) };
    this.events(response, [
      { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: empty },
      { type: 'content_block_delta', index: 0, delta },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: message.stop_reason, stop_sequence: null }, usage: USAGE },
      { type: 'message_stop' },
    ]);
  }

  protected count(response: ServerResponse): void {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ input_tokens: 1 }));
  }
}

const textOf = (block: ContentBlock): string => {
  if (block.type === 'text') return block.text;
  return block.type === 'tool_result' ? `tool result: ${JSON.stringify(block.content)}` : '';
};
