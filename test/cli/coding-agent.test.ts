import type { Host } from '../../lib/hosts/model/types';
import { codingAgent, installCodingAgent } from '../support/agents/agent-programs';
import { AnthropicServer } from '../support/agents/anthropic-server';
import type { ModelServer } from '../support/agents/model-server';
import { CliLocal, localHosts, START_UP } from '../support/cli/cli-local';
import { until } from '../support/run/eventually';
import { describeWith } from '../support/run/requirements';

const KEY = 'sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz';
const TEXT = 'what is `id` $(id)?\nsecond line';

describeWith(
  [...localHosts, codingAgent('claude-code')],
  'the first example of the README, with the real agent',
  () => {
    let local: CliLocal;
    let model: ModelServer;
    let folder: string;
    beforeAll(async () => {
      folder = await installCodingAgent('claude-code');
      [local, model] = await Promise.all([
        CliLocal.start(),
        new AnthropicServer((turn) => ({ text: `Answered: ${turn.slice(0, 7)}` })).start(),
      ]);
    }, 600_000);
    afterAll(async () => {
      await local.stop();
      await model.stop();
    });

    test(
      'from create to the answer to a message, without a question',
      async () => {
        const { home } = local;
        const env = { ANTHROPIC_API_KEY: KEY };
        const variables = [
          'ANTHROPIC_API_KEY',
          `ANTHROPIC_BASE_URL=${model.url}`,
          `PATH=${folder}:${process.env.PATH}`,
        ];
        const words = ['create', 'fox', ...variables.flatMap((one) => ['--env', one]), '--', 'claude'];
        const created = await home.json<Host & { readonly agentNotice?: unknown }>(words, { env });
        expect(created).toMatchObject({ name: 'fox', ready: true });
        expect(created.agentNotice).toBeUndefined();

        await expect(home.json(['message', 'fox', TEXT])).resolves.toMatchObject({ sent: true });
        expect(model.turns).toEqual([TEXT]);
        expect([...model.keys]).toEqual([KEY]);
        const screen = ['exec', 'fox', '--', 'tmux', 'capture-pane', '-p', '-t', 'mngr-fox'];
        await until(async () => (await home.run(screen)).stdout.includes('Answered: what is'));
      },
      START_UP,
    );
  },
);
