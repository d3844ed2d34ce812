import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ModelReply } from './model-server';
import { ModelServer } from './model-server';

interface ResponsesRequest {
  readonly model: string;
  readonly input: readonly {
    readonly type?: string;
    readonly role?: string;
    readonly content?: readonly { readonly type: string; readonly text?: string }[];
    readonly output?: unknown;
  }[];
}

const USAGE = {
  input_tokens: 1,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 1,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 2,
};

/** OpenAI's Responses API, as Codex speaks it: streams of server-sent events. */
export class OpenAiServer extends ModelServer {
  protected readonly paths = { 'POST /v1/responses': 'answer' } as const;

  protected lastText(body: unknown): string | undefined {
    const { input } = body as ResponsesRequest;
    const last = input.at(-1);
    if (last?.type === 'function_call_output') return `tool result: ${JSON.stringify(last.output)}`;
    return (last?.content ?? []).map(({ text }) => text ?? '').join('\n');
  }

  protected write(response: ServerResponse, body: unknown, reply: ModelReply): void {
    const id = (kind: string): string => `${kind}_${randomBytes(8).toString('hex')}`;
    const item =
      reply.tool === undefined
        ? {
            type: 'message',
            id: id('msg'),
            role: 'assistant',
            content: [{ type: 'output_text', text: reply.text, annotations: [] }],
          }
        : {
            type: 'function_call',
            id: id('fc'),
            call_id: id('call'),
            name: reply.tool.name,
            arguments: JSON.stringify(reply.tool.input),
          };
    const { model } = body as ResponsesRequest;
    const resource = {
      id: id('resp'),
      object: 'response',
      created_at: 1,
      model,
      output: [] as unknown[],
      usage: USAGE,
    };
    this.events(response, [
      { type: 'response.created', response: { ...resource, status: 'in_progress' } },
      { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
      ...(reply.tool === undefined
        ? [
            {
              type: 'response.output_text.delta',
              item_id: item.id,
              output_index: 0,
              content_index: 0,
              delta: reply.text,
            },
          ]
        : []),
      { type: 'response.output_item.done', output_index: 0, item: { ...item, status: 'completed' } },
      { type: 'response.completed', response: { ...resource, status: 'completed', output: [item] } },
    ]);
  }

  protected count(response: ServerResponse): void {
    response.end('{}');
  }
}
