import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { SandboxClient } from '../../lib/sandbox/client';
import { McpHttpServer, Workplace } from '../../lib/sandbox/mcp';
import { CLI_WORDS } from '../support/cli/cli-program';
import { localHosts, START_UP } from '../support/cli/cli-local';
import { describeWith } from '../support/run/requirements';
import { ROOT } from '../support/run/paths';
import { SandboxServiceProcess } from '../support/sandbox/sandbox-service';

type Answer = {
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
};

describeWith(localHosts, 'MCP with its own client', () => {
  let service: SandboxServiceProcess;
  let sandboxes: SandboxClient;
  beforeAll(async () => {
    service = await SandboxServiceProcess.start();
    sandboxes = new SandboxClient(service.served);
  }, START_UP);
  afterAll(() => service?.stop(), START_UP);

  const call = async (client: Client, name: string, input: object): Promise<Answer> =>
    (await client.callTool({ name, arguments: { ...input } }, undefined, { timeout: START_UP })) as Answer;
  const made = async (): Promise<string[]> => {
    const ids = [];
    for await (const { id } of sandboxes.list({ metadata: { created_by: 'mcp' } })) ids.push(id);
    return ids;
  };

  test(
    'over stdio: commands, files, git, ports and events, in a sandbox that ends with the client',
    async () => {
      const env = Object.fromEntries(
        Object.entries(service.home.env()).filter((entry): entry is [string, string] => entry[1] !== undefined),
      );
      const client = new Client({ name: 'test', version: '1' });
      let changes = 0;
      client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void (changes += 1));
      const args = [...CLI_WORDS, 'sandbox', 'mcp'];
      await client.connect(new StdioClientTransport({ command: process.execPath, args, env, cwd: ROOT }));
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          'exec',
          'read_file',
          'write_file',
          'list_files',
          'git_clone',
          'git_commit',
          'port_link',
        ]),
      );
      const pieces: string[] = [];
      const ran = (await client.callTool(
        { name: 'exec', arguments: { command: 'cd /tmp; echo out; echo err >&2; (exit 3)' } },
        undefined,
        { timeout: START_UP, onprogress: ({ message }) => void pieces.push(message ?? '') },
      )) as Answer;
      expect(ran.content[0]?.text).toBe('out\n\n[stderr]\nerr\n\n[exit code 3]');
      expect(ran.structuredContent).toMatchObject({ exit_code: 3, stdout: 'out\n', stderr: 'err\n' });
      expect(pieces.join('')).toContain('out\n');
      expect((await call(client, 'exec', { command: 'pwd' })).structuredContent).toMatchObject({ stdout: '/tmp\n' });

      await call(client, 'write_file', { path: 'repo/a.txt', content: 'héllo' });
      expect((await call(client, 'read_file', { path: 'repo/a.txt' })).content[0]?.text).toBe('héllo');
      expect((await call(client, 'list_files', { path: 'repo' })).content[0]?.text).toBe('a.txt\t6');
      const missing = await call(client, 'read_file', { path: 'nothing' });
      expect(missing.isError).toBe(true);
      await call(client, 'exec', { command: 'git init -q /workspace/repo' });
      expect((await call(client, 'git_commit', { path: 'repo', message: 'one' })).structuredContent?.exit_code).toBe(0);

      await call(client, 'exec', {
        command:
          "node -e \"require('http').createServer((q,s)=>s.end('served')).listen(18431,'127.0.0.1',()=>console.log('up'))\" > /tmp/up 2>&1 & until grep -q up /tmp/up; do sleep 0.1; done",
      });
      const link = (await call(client, 'port_link', { port: 18_431 })).content[0]?.text ?? '';
      await expect(fetch(link).then((answer) => answer.text())).resolves.toBe('served');

      const [id = ''] = await made();
      const { resources } = await client.listResources();
      expect(resources.map(({ uri }) => uri)).toContain(`sandbox://${id}/events`);
      const { contents } = await client.readResource({ uri: `sandbox://${id}/events/1` });
      expect(JSON.parse(String((contents[0] as { text?: unknown }).text))).toMatchObject({ seq: 1, exit_code: 3 });
      expect(changes).toBeGreaterThan(0);

      await client.close();
      await expect(ended(id)).resolves.toBe('destroyed');
    },
    START_UP,
  );

  /** The state of a sandbox once it is no longer active. */
  const ended = async (id: string): Promise<string> => {
    for (;;) {
      const { status } = (await sandboxes.connect(id)).info;
      if (status !== 'active') return status;
    }
  };

  describe('over streamable HTTP', () => {
    let server: McpHttpServer;
    let url: URL;
    beforeAll(async () => {
      server = new McpHttpServer({
        workplaceOf: async (key) => {
          const client = new SandboxClient({ url: service.served.url, key });
          await client.list().next();
          return new Workplace(client, { createdBy: 'mcp' });
        },
      });
      url = new URL(await server.listen(0, '127.0.0.1'));
    });
    afterAll(() => server.close());

    const connect = async (key: string): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> => {
      const client = new Client({ name: 'test', version: '1' });
      const transport = new StreamableHTTPClientTransport(url, {
        requestInit: { headers: { authorization: `Bearer ${key}` } },
      });
      await client.connect(transport);
      return { client, transport };
    };

    test(
      'each client works with its own key, in a sandbox of its own',
      async () => {
        const { client, transport } = await connect(service.served.key);
        expect((await call(client, 'exec', { command: 'echo hi' })).structuredContent).toMatchObject({
          stdout: 'hi\n',
        });
        const { key } = await sandboxes.createKey({ name: 'other' });
        const other = await fetch(url, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${key}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-session-id': transport.sessionId ?? '',
          },
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
        });
        expect(other.status).toBe(404);
        const [id = ''] = await made();
        await transport.terminateSession();
        await expect(ended(id)).resolves.toBe('destroyed');
        await client.close();
      },
      START_UP,
    );

    test('a wrong key, and none', async () => {
      await expect(connect('wrong')).rejects.toThrow('the key is not known');
      expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
    });

    test('pages of other sites are refused', async () => {
      const headers = { authorization: 'Bearer k', origin: 'https://evil.example' };
      expect((await fetch(url, { method: 'POST', body: '{}', headers })).status).toBe(403);
    });
  });
});
