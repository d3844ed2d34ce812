import type { ModelReply, ModelServer } from '../support/agents/model-server';
import { AnthropicServer } from '../support/agents/anthropic-server';
import { OpenAiServer } from '../support/agents/openai-server';
import { localHosts, START_UP } from '../support/cli/cli-local';
import { runInTerminal, terminal } from '../support/cli/cli-terminal';
import { describeWith } from '../support/run/requirements';
import { SandboxServiceProcess } from '../support/sandbox/sandbox-service';

/** Runs a command first, and says what it gave. */
const reply = (turn: string): ModelReply =>
  turn.startsWith('tool result')
    ? { text: `It said ${/<(.*?)>/.exec(turn)?.[1] ?? 'nothing'}.` }
    : { text: '', tool: { name: 'exec', input: { command: `echo "<$((6 * 7))>"` } } };

const PROVIDERS: readonly [string, () => ModelServer, string, string][] = [
  ['anthropic', () => new AnthropicServer(reply), 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'],
  ['openai', () => new OpenAiServer(reply), 'OPENAI_API_KEY', 'OPENAI_BASE_URL'],
];

describeWith([...localHosts, terminal], 'sandbox chat', () => {
  let service: SandboxServiceProcess;
  beforeAll(async () => {
    service = await SandboxServiceProcess.start();
    await service.home.run(['sandbox', 'create', 'box']);
  }, START_UP);
  afterAll(() => service?.stop(), START_UP);

  const keyless = { ANTHROPIC_API_KEY: '', OPENAI_API_KEY: '' };
  const chat = ['sandbox', 'chat', '--id', 'box'];

  test.each(PROVIDERS)(
    'with %s: it runs a command, shows it, and says what came of it',
    async (_name, make, key, url) => {
      const model = await make().start();
      try {
        const env = { ...keyless, [key]: 'model-key', [url]: model.url };
        const { stdout, stderr, exitCode } = await service.home.run([...chat, 'what', 'is', 'it?'], { env });
        expect({ exitCode, stdout, stderr }).toEqual({
          exitCode: 0,
          stdout: 'It said 42.\n',
          stderr: expect.stringMatching(/^→ exec \{"command":.*\}\n← <42>\n/) as string,
        });
        expect(model.keys).toEqual(new Set(['model-key']));
        expect(model.turns[0]).toBe('what is it?');
        const document = await service.home.json(['sandbox', 'chat', '--id', 'box', 'again'], { env });
        expect(document).toMatchObject({ text: 'It said 42.', calls: [{ tool: 'exec', failed: false }] });
      } finally {
        await model.stop();
      }
    },
  );

  test('a conversation on a terminal', async () => {
    const model = await new AnthropicServer(reply).start();
    try {
      const env = { ...keyless, ANTHROPIC_API_KEY: 'model-key', ANTHROPIC_BASE_URL: model.url };
      const steps = [
        { expect: '> ', send: 'first\r' },
        { expect: 'It said 42.*> ', send: '/session\r' },
        { expect: 'box.*> ', send: '/quit\r' },
      ];
      const { exitCode } = await runInTerminal(service.home, chat, steps, env);
      expect(exitCode).toBe(0);
      expect(model.turns[0]).toBe('first');
    } finally {
      await model.stop();
    }
  });

  test('without a key it says which to set', async () => {
    const { exitCode, stderr } = await service.home.run([...chat, 'hello'], { env: keyless });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('set ANTHROPIC_API_KEY or OPENAI_API_KEY');
  });
});
