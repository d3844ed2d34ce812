import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { agentOfCommand } from '../../../lib/hosts/agents/coding-agents';
import { watchStart } from '../../../lib/hosts/agents/start';
import { codingAgent, installCodingAgent } from '../../support/agents/agent-programs';
import { AnthropicServer } from '../../support/agents/anthropic-server';
import type { ModelReply, ModelServer } from '../../support/agents/model-server';
import { OpenAiServer } from '../../support/agents/openai-server';
import { TmuxHost } from '../../support/agents/tmux-host';
import { eventually } from '../../support/run/eventually';
import { describeWith, program } from '../../support/run/requirements';

const KEY = 'sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz';
const TEXT = 'what is `id` $(id)?\nsecond line';
const LONG = Array.from({ length: 300 }, (_, index) => `line ${index}`).join('\n');

/** An answer for everything; a call of a tool where the turn asks for one. */
const replies =
  (tool: NonNullable<ModelReply['tool']>) =>
  (turn: string): ModelReply =>
    turn.startsWith('use a tool') ? { text: '', tool } : { text: `Answered: ${turn.slice(0, 20)}` };

/** An agent on a host of its own, with a model on the wire, from the set-up of `create` on. */
class World {
  private constructor(
    readonly host: TmuxHost,
    readonly model: ModelServer,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(agent: string, model: ModelServer, env: Readonly<Record<string, string>>): Promise<World> {
    const PATH = `${await installCodingAgent(agent)}:${process.env.PATH}`;
    return new World(await TmuxHost.start({ PATH }), model, { PATH, ...env });
  }

  async create(name: string, command: readonly string[], env = {}): ReturnType<typeof watchStart> {
    await this.host.create(name, command, { ...this.env, ...env });
    return watchStart(this.host.run, name, command);
  }

  async stop(): Promise<void> {
    await this.host.stop();
    await this.model.stop();
  }
}

const INSTALL = 600_000;

describeWith([program('tmux'), codingAgent('claude-code')], 'Claude Code', () => {
  let world: World;
  beforeAll(async () => {
    const tool = { name: 'Bash', input: { command: 'touch ran-it', description: 'touch' } };
    const model = await new AnthropicServer(replies(tool)).start();
    world = await World.start('claude-code', model, { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url });
  }, INSTALL);
  afterAll(() => world.stop());

  test('from create to the answer to a message, without a question', async () => {
    await expect(world.create('fox', ['claude', '--permission-mode', 'default'])).resolves.toBeUndefined();
    await world.host.message('fox', TEXT);
    expect(world.model.turns).toEqual([TEXT]);
    expect([...world.model.keys]).toEqual([KEY]);
    await world.host.shows('fox', 'Answered: what is');
    await world.host.message('fox', LONG);
    await eventually(async () => expect(world.model.turns.at(-1)).toBe(LONG));
  });

  test('a permission dialog is not answered by a message, but by a key', async () => {
    await world.host.message('fox', 'use a tool');
    await world.host.shows('fox', 'Do you want to proceed?');
    await expect(world.host.message('fox', 'no, stop')).rejects.toMatchObject({
      code: 'agent-not-ready',
      details: { reason: 'dialog', dialog: 'for a permission' },
    });
    await expect(stat(join(world.host.folder, 'projects/fox/ran-it'))).rejects.toThrow('ENOENT');
    await world.host.press('fox', 'Escape');
    await world.host.message('fox', 'go on');
    await eventually(async () => expect(world.model.turns.at(-1)).toContain('go on'));
  });

  test('after it has ended nothing is typed', async () => {
    await world.host.message('fox', '/exit');
    await world.host.shows('fox', 'claude ended with 0');
    await expect(world.host.message('fox', 'touch bad')).rejects.toMatchObject({ details: { reason: 'shell' } });
  });

  test('settings and refusals that are there already stay as they are', async () => {
    const file = join(world.host.folder, 'other/.claude.json');
    await mkdir(dirname(file));
    const settings = {
      theme: 'light',
      customApiKeyResponses: { approved: ['other'], rejected: [KEY.slice(-20)] },
      projects: { [join(world.host.folder, 'projects/owl')]: { hasTrustDialogAccepted: false, mine: 1 } },
    };
    await writeFile(file, JSON.stringify(settings));
    await chmod(file, 0o640);
    const command = ['env', `CLAUDE_CONFIG_DIR=${dirname(file)}`, 'sh', '-c', 'true # claude'];
    await world.host.create('owl', command, { CLAUDE_CONFIG_DIR: dirname(file), ANTHROPIC_API_KEY: KEY });
    await world.host.shows('owl', 'ended with 0');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ hasCompletedOnboarding: true, ...settings });
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });
});

describeWith([program('tmux'), codingAgent('codex')], 'Codex', () => {
  let world: World;
  beforeAll(async () => {
    const tool = { name: 'exec_command', input: { cmd: 'touch ran-it' } };
    const model = await new OpenAiServer(replies(tool)).start();
    world = await World.start('codex', model, { OPENAI_API_KEY: KEY, MODEL_URL: `${model.url}/v1` });
  }, INSTALL);
  afterAll(() => world.stop());

  test('from create to the answer to a message, without a question', async () => {
    const command = ['sh', '-c', 'exec codex -c openai_base_url="\\"$MODEL_URL\\""'];
    await expect(world.create('fox', command)).resolves.toBeUndefined();
    await world.host.message('fox', TEXT);
    await world.host.shows('fox', 'Answered: what is');
    expect(world.model.turns).toContain(TEXT);
    expect([...world.model.keys]).toEqual([KEY]);
    await world.host.message('fox', LONG);
    await eventually(async () => expect(world.model.turns).toContain(LONG));
    const config = await readFile(join(world.host.folder, '.codex/config.toml'), 'utf8');
    expect(config).toContain(`[projects."${world.host.folder}/projects/fox"]\ntrust_level = "trusted"\n`);
  });

  test('where it asks how to sign in, create says so', async () => {
    const env = { CODEX_HOME: join(world.host.folder, 'other'), OPENAI_API_KEY: '' };
    await expect(world.create('owl', ['codex'], env)).resolves.toMatchObject({ dialog: 'how to sign in' });
    await expect(world.host.message('owl', 'hello')).rejects.toMatchObject({ details: { reason: 'dialog' } });
  });
});

describeWith([program('tmux'), codingAgent('opencode')], 'OpenCode', () => {
  let world: World;
  beforeAll(async () => {
    const tool = { name: 'bash', input: { command: 'touch ran-it', description: 'touch' } };
    const model = await new AnthropicServer(replies(tool)).start();
    world = await World.start('opencode', model, {
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: `${model.url}/v1`,
      OPENCODE_CONFIG_CONTENT: JSON.stringify({ permission: { bash: 'ask' } }),
      // Both ask servers that a test can't reach.
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_AUTOUPDATE: '1',
    });
  }, INSTALL);
  afterAll(() => world.stop());

  test('from create to the answer to a message, and its permission dialog', async () => {
    await expect(world.create('fox', ['opencode'])).resolves.toBeUndefined();
    await world.host.message('fox', TEXT, 120_000);
    await world.host.shows('fox', 'Answered: what is');
    expect(world.model.turns).toContain(TEXT);
    await world.host.message('fox', 'use a tool');
    await world.host.shows('fox', 'Permission required');
    await expect(world.host.message('fox', 'no, stop')).rejects.toMatchObject({
      details: { reason: 'dialog', dialog: 'for a permission' },
    });
  });
});

describe('the coding agent of a command', () => {
  test.each([
    [['claude'], 'claude'],
    [['/opt/agents/bin/claude', '--resume'], 'claude'],
    [['env', 'X=1', 'codex'], 'codex'],
    [['npx', '--yes', '@anthropic-ai/claude-code@latest'], 'claude'],
    [['sh', '-c', 'cd repo && exec opencode'], 'opencode'],
    [['aider'], undefined],
    [['sh', '-c', 'echo claudette'], undefined],
  ])('%j is of %s', (command, agent) => expect(agentOfCommand(command)).toBe(agent));
});

describeWith(program('tmux'), 'a command that ends at once', () => {
  let host: TmuxHost;
  beforeAll(async () => {
    host = await TmuxHost.start();
  });
  afterAll(() => host.stop());

  test('with an error fails, with its last screen', async () => {
    await host.create('wrong', ['no-such-program']);
    await expect(watchStart(host.run, 'wrong', ['no-such-program'])).rejects.toMatchObject({
      code: 'failed',
      message: 'the command no-such-program ended at once with exit code 127',
      details: { screen: expect.arrayContaining([expect.stringContaining('command not found')]) as string[] },
    });
  });

  test('without one is told, and one that runs is not', async () => {
    await host.create('short', ['echo', 'that was all']);
    await expect(watchStart(host.run, 'short', ['echo'])).resolves.toMatchObject({ exitCode: 0, dialog: null });
    await host.create('running', ['cat']);
    await expect(watchStart(host.run, 'running', ['cat'])).resolves.toBeUndefined();
  });
});
