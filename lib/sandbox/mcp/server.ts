import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { packageVersion } from '../../util/package-root';
import type { ApiEvent } from '../client';
import { shortened } from './command-text';
import { SANDBOX_TOOLS } from './tools';
import type { SandboxTool, ToolCall } from './tools';
import type { Workplace } from './workplace';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const INSTRUCTIONS =
  'Tools to run code in a Linux sandbox: commands, files, git, and links to its ports. A sandbox is made at the first use ' +
  'and ends with this connection. What has run in it is under the resource sandbox://ID/events.';

/** A server of the Model Context Protocol whose tools work in a sandbox. It serves one connection. */
export function createMcpServer(workplace: Workplace): McpServer {
  const server = new McpServer(
    { name: 'mngr-fargate-sandbox', title: 'Sandboxes', version: packageVersion() },
    { instructions: INSTRUCTIONS },
  );
  for (const tool of SANDBOX_TOOLS) addTool(server, workplace, tool);
  addEvents(server, workplace);
  return server;
}

function addTool(server: McpServer, workplace: Workplace, tool: SandboxTool): void {
  const { name, title, description, input, readOnly, run } = tool;
  const annotations = { title, readOnlyHint: readOnly, openWorldHint: !readOnly };
  server.registerTool(
    name,
    { title, description, inputSchema: input.shape, annotations },
    async (given, extra): Promise<CallToolResult> => {
      try {
        const { text, data } = await run(workplace, given, callOf(extra));
        return { content: [{ type: 'text', text }], structuredContent: { ...data } };
      } catch (error) {
        return { content: [{ type: 'text', text: (error as Error).message }], isError: true };
      } finally {
        // There is a new event.
        if (name === 'exec' || name.startsWith('git_')) server.sendResourceListChanged();
      }
    },
  );
}

/** Output goes to whoever asked for progress, as it comes. */
function callOf({ signal, _meta, sendNotification }: Extra): ToolCall {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return { signal };
  let progress = 0;
  return {
    signal,
    onOutput: (message) => {
      if (message === '') return;
      progress += message.length;
      const params = { progressToken, progress, message: shortened(message, 4_000) };
      // A client that is gone ends the call by its signal.
      sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
    },
  };
}

/** What has run in a sandbox: a list, and each command with its output. */
function addEvents(server: McpServer, workplace: Workplace): void {
  server.registerResource(
    'events',
    new ResourceTemplate('sandbox://{id}/events', {
      list: async () => {
        const id = await workplace.id();
        if (id === undefined) return { resources: [] };
        const uri = `sandbox://${encodeURIComponent(id)}/events`;
        return { resources: [{ uri, name: `events of ${id}`, mimeType: 'application/json' }] };
      },
    }),
    { title: 'Commands of a sandbox', mimeType: 'application/json' },
    async (uri, { id }) => {
      const box = await workplace.sandbox(decoded(id));
      const events: object[] = [];
      for await (const event of box.events()) events.push(summary(event));
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify(events) }] };
    },
  );
  server.registerResource(
    'event',
    new ResourceTemplate('sandbox://{id}/events/{seq}', {
      list: async () => {
        const id = await workplace.id();
        if (id === undefined) return { resources: [] };
        const resources = [];
        for await (const { seq, kind } of (await workplace.sandbox(id)).events()) {
          const uri = `sandbox://${encodeURIComponent(id)}/events/${seq}`;
          resources.push({ uri, name: `${kind} ${seq} of ${id}`, mimeType: 'application/json' });
        }
        return { resources };
      },
    }),
    { title: 'A command with its output', mimeType: 'application/json' },
    async (uri, { id, seq }) => {
      const number = Number(seq);
      if (!Number.isSafeInteger(number) || number < 1)
        throw new Error(`${String(seq)} is not a valid number of an event`);
      const event = await (await workplace.sandbox(decoded(id))).event(number);
      const result = event.result && {
        ...event.result,
        stdout: shortened(event.result.stdout),
        stderr: shortened(event.result.stderr),
        stdoutB64: undefined,
        stderrB64: undefined,
      };
      const text = JSON.stringify({ ...summary(event), result });
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text }] };
    },
  );
}

const decoded = (part: string | string[] | undefined): string => decodeURIComponent(String(part));

const summary = ({ seq, kind, status, payload, result, submittedAt, completedAt }: ApiEvent): object => ({
  ...{ seq, kind, status, payload, submitted_at: submittedAt, completed_at: completedAt },
  exit_code: result?.exitCode ?? null,
});
