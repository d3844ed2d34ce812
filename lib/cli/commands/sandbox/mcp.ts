import { once } from 'node:events';
import type { Command } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { CliContext } from '../../context';
import { collect } from '../../global-options';
import { parseCount } from '../../parse/size';
import type { Runner } from '../../runner';
import { placeOf, withService } from './connection';

interface McpOptions {
  readonly id?: string;
  readonly keep?: boolean;
  readonly http?: string;
  readonly host: string;
  readonly allowedHost?: readonly string[];
}

async function mcp(context: CliContext, options: McpOptions): Promise<void> {
  if (options.http !== undefined) return overHttp(context, options);
  await overStdio(context, options);
}

/** Serves the program that started this one, until it closes our stdin. */
async function overStdio(context: CliContext, { id, keep }: McpOptions): Promise<void> {
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
  const { createMcpServer, Workplace } = await import('../../../sandbox/mcp/index.js');
  await withService(context, async (client) => {
    // A wrong key is better reported now than by every tool.
    await (id === undefined ? client.list({ signal: context.signal }).next() : client.connect(id));
    const workplace = new Workplace(client, { id, keep, createdBy: 'mcp' });
    const server = createMcpServer(workplace);
    const { stdin, stdout } = context.io;
    const gone = once(stdin, 'close', { signal: context.signal }).catch(() => undefined);
    const ended = once(stdin, 'end', { signal: context.signal }).catch(() => undefined);
    await server.connect(new StdioServerTransport(stdin, stdout));
    try {
      await Promise.race([gone, ended]);
    } finally {
      await server.close();
      await workplace.close();
    }
  });
}

/** Serves any number of clients, each with its own key, until Ctrl-C. */
async function overHttp(context: CliContext, { id, keep, http, host, allowedHost }: McpOptions): Promise<void> {
  const port = parseCount(http ?? '0', '--http', { least: 0, most: 65_535 });
  const { url } = await placeOf(context);
  const { McpHttpServer, Workplace } = await import('../../../sandbox/mcp/index.js');
  const { SandboxClient } = await import('../../../sandbox/client/index.js');
  const server = new McpHttpServer({
    allowedHosts: allowedHost,
    workplaceOf: async (key) => {
      const client = new SandboxClient({ url, key });
      await (id === undefined ? client.list().next() : client.connect(id));
      return new Workplace(client, { id, keep, createdBy: 'mcp' });
    },
  });
  const address = await server.listen(port, host).catch((error: Error) => {
    throw new MngrFargateError('failed', `cannot serve on port ${port} of ${host}: ${error.message}`, {
      hint: 'give another port with --http; 0 is any free one',
    });
  });
  context.result({ url: address }, () => `MCP is served at ${address}; clients send Authorization: Bearer KEY\n`);
  try {
    if (!context.signal.aborted) await once(context.signal, 'abort');
  } finally {
    await server.close();
  }
}

/** `sandbox mcp` */
export function mcpCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('mcp')
    .description('serve the tools of a sandbox to agents, over the Model Context Protocol on stdin and stdout')
    .option(
      '--id <sandbox>',
      'work in this sandbox (default: one that is made at the first use and ends with the client)',
    )
    .option('--keep', 'leave a sandbox that was made to its time to live when the client has gone')
    .option('--http <port>', 'serve over streamable HTTP instead, on this port; 0 is any free one')
    .option('--host <address>', 'address for --http', '127.0.0.1')
    .option('--allowed-host <name>', 'name of this machine that clients of --http may use; repeatable', collect)
    .action(runner.action(mcp));
}
