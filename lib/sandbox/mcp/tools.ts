import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import type { Command, CommandResult, Git, Sandbox } from '../client';
import { SandboxApiError } from '../client';
import { commandText, shortened } from './command-text';
import type { Workplace } from './workplace';

/** What a tool gives back: text for the model, and the same as data. */
export interface ToolResult {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly signal?: AbortSignal;
  /** Called with output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** A tool of an agent, for MCP and for `sandbox chat` alike. */
export interface SandboxTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: z.ZodObject;
  /** Changes nothing. */
  readonly readOnly: boolean;
  readonly run: (workplace: Workplace, input: unknown, call: ToolCall) => Promise<ToolResult>;
}

const sandbox = z.string().optional().describe('id of the sandbox; default: the one of this conversation');
const path = z.string().describe('path in the sandbox; one without a leading / starts in /workspace');
const repository = z.string().optional().describe('folder of the repository; default: /workspace');

function tool<Shape extends z.ZodRawShape>(spec: {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Shape;
  readonly readOnly?: boolean;
  readonly run: (box: Sandbox, input: z.infer<z.ZodObject<Shape>>, call: ToolCall) => Promise<ToolResult>;
}): SandboxTool {
  const input = z.object({ ...spec.input, sandbox });
  return {
    ...{ name: spec.name, title: spec.title, description: spec.description },
    input,
    readOnly: spec.readOnly ?? false,
    run: async (workplace, given, call) => {
      const checked = input.parse(given) as z.infer<z.ZodObject<Shape>> & { readonly sandbox?: string };
      try {
        return await spec.run(await workplace.sandbox(checked.sandbox), checked, call);
      } catch (error) {
        // A model reads the suggestion too.
        if (!(error instanceof SandboxApiError) || error.suggestion === undefined) throw error;
        throw new Error(`${error.message} (${error.suggestion})`, { cause: error });
      }
    },
  };
}

/** Waits for a command, and tells of its output meanwhile. A call that is given up ends the command. */
async function finished(command: Command, { signal, onOutput }: ToolCall): Promise<ToolResult> {
  const kill = (): void => void command.kill('KILL').catch(() => undefined);
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted) kill();
  try {
    if (onOutput !== undefined) for await (const { text } of command.output) onOutput(text);
    return ofCommand(await command.result);
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

const ofCommand = (result: CommandResult): ToolResult => ({
  text: commandText(result),
  data: {
    seq: result.seq,
    exit_code: result.exitCode,
    signal: result.signal,
    timed_out: result.timedOut,
    stdout: shortened(result.stdout),
    stderr: shortened(result.stderr),
    dropped_bytes: result.droppedBytes,
  },
});

const gitTool = <Shape extends z.ZodRawShape>(
  name: string,
  title: string,
  input: Shape,
  start: (git: Git, input: z.infer<z.ZodObject<Shape>>) => Command,
  readOnly = false,
): SandboxTool =>
  tool({
    ...{ name: `git_${name}`, title, description: title, input, readOnly },
    run: (box, given, call) => finished(start(box.git, given), call),
  });

/** Reading more than this is for a command such as head or sed. Bytes. */
const MOST_READ = 256 * 1024;

export const SANDBOX_TOOLS: readonly SandboxTool[] = [
  tool({
    name: 'exec',
    title: 'Run a command',
    description:
      'Run a command line in a shell of the sandbox (Linux). Its folder, variables and functions stay from call to call. ' +
      'Returns stdout, stderr and the exit code.',
    input: {
      command: z.string().min(1).describe('the command line'),
      cwd: z.string().optional().describe("folder for this command alone; default: the shell's current folder"),
      timeout_seconds: z.int().min(1).optional().describe('then the command is ended; default: 300'),
      shell: z.string().optional().describe('name of a shell session; default: main'),
    },
    run: (box, { command, cwd, timeout_seconds: timeoutSeconds, shell }, call) =>
      finished(box.exec(command, { cwd, timeoutSeconds, shell }), call),
  }),
  tool({
    name: 'read_file',
    title: 'Read a file',
    description: `Read a file of the sandbox, up to ${MOST_READ / 1024} KiB. Files that are not text come as base64.`,
    input: { path },
    readOnly: true,
    run: async (box, given, { signal }) => {
      const { size } = await box.files.stat(given.path, { signal });
      if (size !== null && size > MOST_READ) {
        throw new Error(
          `${given.path} has ${size} bytes, more than can be read at once: use exec with head, sed or grep`,
        );
      }
      const bytes = Buffer.from(await box.files.read(given.path, { signal }));
      const encoding = isUtf8(bytes) ? 'utf8' : 'base64';
      const content = bytes.toString(encoding);
      return { text: content, data: { path: given.path, encoding, content, size: bytes.length } };
    },
  }),
  tool({
    name: 'write_file',
    title: 'Write a file',
    description: 'Write a file of the sandbox, whole. Parent folders are made.',
    input: {
      path,
      content: z.string().describe('all of its content'),
      encoding: z.enum(['utf8', 'base64']).optional().describe('default: utf8'),
      mode: z
        .string()
        .optional()
        .describe("permission bits in octal, such as 0755; default: the old file's, else 0644"),
    },
    run: async (box, { path: to, content, encoding = 'utf8', mode }, { signal }) => {
      const { size } = await box.files.write(to, Buffer.from(content, encoding), { mode, signal });
      return { text: `wrote ${size} bytes to ${to}`, data: { path: to, size } };
    },
  }),
  tool({
    name: 'list_files',
    title: 'List a folder',
    description: 'List what is in a folder of the sandbox.',
    input: { path: path.optional() },
    readOnly: true,
    run: async (box, given, { signal }) => {
      const entries = await box.files.list(given.path, { signal });
      const lines = entries.map(({ name, type, size }) =>
        type === 'directory' ? `${name}/` : `${name}\t${size ?? ''}`,
      );
      return {
        text: lines.length === 0 ? '(empty)' : shortened(lines.join('\n')),
        data: { entries: entries.map(({ name, path: at, type, size }) => ({ name, path: at, type, size })) },
      };
    },
  }),
  tool({
    name: 'search_files',
    title: 'Search files',
    description: 'Find files by name (a glob), lines by content (a regular expression), or both.',
    input: {
      path: path.optional(),
      name: z.string().optional(),
      content: z.string().optional(),
      limit: z.int().min(1).max(1000).optional().describe('default: 100'),
    },
    readOnly: true,
    run: async (box, { path: from, name, content, limit = 100 }, { signal }) => {
      const { matches, truncated } = await box.files.search({ path: from, name, content, limit }, { signal });
      const lines = matches.map((match) =>
        [match.path, match.line, match.text].filter((part) => part !== undefined).join(':'),
      );
      const text = [...lines, ...(truncated ? ['[there are more]'] : [])].join('\n');
      return { text: text === '' ? '(nothing found)' : shortened(text), data: { matches, truncated } };
    },
  }),
  tool({
    name: 'delete_file',
    title: 'Delete a file or folder',
    description: 'Delete a file of the sandbox, or with recursive a folder with all that is in it.',
    input: { path, recursive: z.boolean().optional() },
    run: async (box, { path: at, recursive }, { signal }) => {
      await box.files.remove(at, { recursive, signal });
      return { text: `deleted ${at}`, data: { path: at } };
    },
  }),
  gitTool(
    'clone',
    'Clone a git repository into the sandbox',
    {
      url: z.string(),
      dest: z.string().optional().describe('folder that is empty or new; default: /workspace'),
      branch: z.string().optional(),
      depth: z.int().min(1).optional(),
    },
    (git, { url, dest, branch, depth }) => git.clone({ url, dest, branch, depth }),
  ),
  gitTool(
    'commit',
    'Commit what has changed in a repository of the sandbox',
    { message: z.string().min(1), files: z.array(z.string()).optional(), path: repository },
    (git, { message, files, path: at }) => git.commit({ message, files, path: at }),
  ),
  gitTool(
    'status',
    'State of a repository',
    { path: repository },
    (git, { path: at }) => git.status({ path: at }),
    true,
  ),
  gitTool(
    'diff',
    'What has changed in a repository',
    { path: repository, staged: z.boolean().optional(), ref: z.string().optional() },
    (git, { path: at, staged, ref }) => git.diff({ path: at, staged, ref }),
    true,
  ),
  gitTool(
    'log',
    'Commits of a repository',
    { path: repository, ref: z.string().optional(), limit: z.int().min(1).max(1000).optional() },
    (git, { path: at, ref, limit }) => git.log({ path: at, ref, limit }),
    true,
  ),
  gitTool(
    'checkout',
    'Change to a branch, tag or commit',
    { path: repository, ref: z.string(), create: z.boolean().optional() },
    (git, { path: at, ref, create }) => git.checkout({ path: at, ref, create }),
  ),
  gitTool(
    'push',
    'Send commits to the remote repository',
    { path: repository, remote: z.string().optional(), branch: z.string().optional() },
    (git, { path: at, remote, branch }) => git.push({ path: at, remote, branch }),
  ),
  gitTool(
    'pull',
    'Get commits from the remote repository',
    { path: repository, remote: z.string().optional(), branch: z.string().optional() },
    (git, { path: at, remote, branch }) => git.pull({ path: at, remote, branch }),
  ),
  tool({
    name: 'port_link',
    title: 'Open a port',
    description:
      'A URL, for a while, that opens a server listening on a port of the sandbox. Whoever has the URL can use it.',
    input: {
      port: z.int().min(1).max(65_535),
      expires_in_seconds: z.int().min(1).optional().describe('default: an hour'),
    },
    run: async (box, { port, expires_in_seconds: expiresInSeconds }, { signal }) => {
      const { url, expiresAt } = await box.ports.link(port, { expiresInSeconds, signal });
      return { text: url, data: { url, expires_at: expiresAt } };
    },
  }),
  tool({
    name: 'sandbox_info',
    title: 'The sandbox',
    description: 'Id, state and times of the sandbox; makes one if there is none yet.',
    input: {},
    readOnly: true,
    run: async ({ info }) => {
      const { id, status, expiresAt, cpu, memory, metadata } = info;
      const data = { id, status, expires_at: expiresAt, cpu, memory, metadata };
      return { text: JSON.stringify(data), data };
    },
  }),
];
