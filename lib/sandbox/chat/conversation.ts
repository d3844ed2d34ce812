import type { LanguageModel, ModelMessage, ToolSet } from 'ai';
import { SANDBOX_TOOLS } from '../mcp/tools';
import type { Workplace } from '../mcp/workplace';

/** What happens in a turn, in its order. */
export type ChatPiece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly id: string; readonly tool: string; readonly input: unknown }
  | {
      readonly type: 'result';
      readonly id: string;
      readonly tool: string;
      readonly text: string;
      readonly failed: boolean;
    };

export interface ConversationOptions {
  readonly model: LanguageModel;
  readonly workplace: Workplace;
  /** Calls of the model in one turn, at most. */
  readonly maxSteps: number;
}

const SYSTEM =
  'You are a software engineer at a Linux sandbox, which you use with your tools. Its folder is /workspace, and the folder ' +
  'and variables of its shell stay from call to call. Do what the user asks, look at what really happened, and answer briefly.';

/** A conversation with a model that has the tools of a sandbox. */
export class Conversation {
  private readonly messages: ModelMessage[] = [];

  constructor(private readonly options: ConversationOptions) {}

  /** Everything that was said, tool calls and their results included. */
  get history(): readonly ModelMessage[] {
    return this.messages;
  }

  /** One turn: what the user says, and all that the model says and does until it is done. Throws what the provider refuses. */
  async *say(text: string, signal?: AbortSignal): AsyncGenerator<ChatPiece, void> {
    const { stepCountIs, streamText } = await import('ai');
    const { model, workplace, maxSteps } = this.options;
    const before = this.messages.length;
    this.messages.push({ role: 'user', content: text });
    let failure: unknown;
    const stream = streamText({
      model,
      system: SYSTEM,
      messages: [...this.messages],
      tools: await toolsOf(workplace),
      stopWhen: stepCountIs(maxSteps),
      abortSignal: signal,
      // Thrown below; the SDK would print it.
      onError: ({ error }) => void (failure = error),
    });
    try {
      for await (const part of stream.fullStream) {
        switch (part.type) {
          case 'text-delta':
            yield { type: 'text', text: part.text };
            break;
          case 'tool-call':
            yield { type: 'call', id: part.toolCallId, tool: part.toolName, input: part.input };
            break;
          case 'tool-result':
            yield resultOf(part, String((part.output as { readonly text?: unknown }).text ?? ''), false);
            break;
          case 'tool-error':
            yield resultOf(part, part.error instanceof Error ? part.error.message : String(part.error), true);
            break;
          case 'error':
            failure = part.error;
            break;
          case 'abort':
            signal?.throwIfAborted();
            break;
        }
      }
      if (failure !== undefined) throw failure;
      this.messages.push(...(await stream.response).messages);
    } catch (error) {
      // A turn that failed was not said.
      this.messages.length = before;
      throw error;
    }
  }
}

const resultOf = (
  { toolCallId, toolName }: { readonly toolCallId: string; readonly toolName: string },
  text: string,
  failed: boolean,
): ChatPiece => ({ type: 'result', id: toolCallId, tool: toolName, text, failed });

async function toolsOf(workplace: Workplace): Promise<ToolSet> {
  const { tool } = await import('ai');
  return Object.fromEntries(
    SANDBOX_TOOLS.map(({ name, description, input, run }) => [
      name,
      tool({
        description,
        inputSchema: input,
        execute: (given: unknown, { abortSignal }) => run(workplace, given, { signal: abortSignal }),
        // The model reads the text; the data says the same again.
        toModelOutput: ({ output }) => ({ type: 'text', value: (output as { readonly text: string }).text }),
      }),
    ]),
  );
}
