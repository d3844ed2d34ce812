import { handlersAt, propertiesAt, sshTo } from '../../support/agent-task-environment';
import type { HostsEnvironment } from '../../support/hosts-environment';
import { startHostsEnvironment } from '../../support/hosts-environment';
import { ModelStack, ProviderFramework } from '../../support/provider-framework';
import { describeWith, program } from '../../support/requirements';

const needs = ['sshd', 'ssh', 'tmux', 'jq', 'openssl', 'curl'].map(program);

describeWith(needs, 'an AgentTask in a stack', () => {
  let environment: HostsEnvironment;
  beforeAll(async () => {
    environment = await startHostsEnvironment();
  }, 300_000);
  afterAll(() => environment?.close());

  it('starts with the stack, can be logged in to with the pinned key, and ends with the stack', async () => {
    const handlers = handlersAt(environment);
    const stack = new ModelStack(new ProviderFramework(handlers));
    const response = await stack.create(
      propertiesAt(environment, {
        Command: ['sh', '-c', 'echo "$GREETING" > ~/greeting; sleep 600'],
        Env: { GREETING: "it's me" },
      }),
    );

    expect(response).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: expect.stringMatching(/^arn:aws:ecs:.*:task\/mngr\//),
    });
    expect(await environment.running()).toHaveLength(1);
    expect((await sshTo(stack.attributes, 'cat ~/greeting; tmux list-sessions -F "#S"')).stdout).toBe(
      "it's me\nmngr-reviewer\n",
    );

    expect(await stack.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(await environment.running()).toEqual([]);
  }, 180_000);
});
