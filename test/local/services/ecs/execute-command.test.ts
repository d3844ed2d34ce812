import type { Task } from '@aws-sdk/client-ecs';
import { SSMClient, TerminateSessionCommand } from '@aws-sdk/client-ssm';
import { describeWith } from '../../../support/run/requirements';
import { until } from '../../../support/run/eventually';
import { ExecEndpoint, processTasks } from '../../../support/endpoint/exec-endpoint';
import { encodeFrame } from '../../../support/endpoint/data-channel-client';

jest.setTimeout(30_000);

describeWith(processTasks, 'a session of ECS Exec', () => {
  let local: ExecEndpoint;
  let task: Task;

  beforeAll(async () => {
    local = await ExecEndpoint.start();
    task = await local.runTask();
  });

  afterAll(async () => {
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  afterEach(() => local.control('PUT', 'sessions', {}));

  const finished = async (command: string): Promise<{ readonly output: string; readonly closedWith: string }> => {
    const channel = await local.open(task, command);
    const closedWith = await channel.closed();
    return { output: channel.output.toString(), closedWith };
  };

  it('is what the answer names, at the address that was called', async () => {
    const answer = await local.execute(task, 'true', { container: 'agent' });
    expect(answer).toMatchObject({
      clusterArn: task.clusterArn,
      containerArn: task.containers?.[0]?.containerArn,
      containerName: 'agent',
      interactive: true,
      taskArn: task.taskArn,
    });
    const { host } = new URL(local.client.endpoint);
    const { sessionId, streamUrl } = answer.session ?? {};
    expect(sessionId).toMatch(/^ecs-execute-command-[0-9a-f]{17}$/);
    expect(streamUrl).toBe(`ws://${host}/v1/data-channel/${sessionId}?role=publish_subscribe`);
  });

  it('shows what the command prints, and ends with it whatever its exit code', async () => {
    expect(await finished(`sh -c 'echo hello; exit 3'`)).toEqual({ output: 'hello\r\n', closedWith: '' });
    expect(await finished(`sh -c 'echo one; kill -9 $$'`)).toEqual({ output: 'one\r\n', closedWith: '' });
  });

  it("waits for another's end when the agent has all the sessions that it runs at once", async () => {
    await local.control('PUT', 'sessions', { workers: 1 });
    const first = await local.open(task, 'sh');
    first.type('echo "<$((6 * 7))>"\r');
    await first.until(() => first.output.includes('<42>'));
    const given = await local.execute(task, 'true');
    const second = await local.open(task, 'cat /tmp/written-by-the-first');
    // What nobody waits for any more takes no place.
    const ssm = new SSMClient(local.client);
    await ssm.send(new TerminateSessionCommand({ SessionId: given.session?.sessionId }));
    ssm.destroy();
    first.type('echo late >/tmp/written-by-the-first; exit\r');
    expect(await first.closed()).toBe('');
    expect(await second.closed()).toBe('');
    expect(second.output.toString()).toBe('late\r\n');
  });

  it('runs the command without a shell, on a terminal, with a locale', async () => {
    expect((await finished('echo $HOME | wc')).output).toBe('$HOME | wc\r\n');
    expect((await finished(`sh -c 'echo $TERM $LANG; tty'`)).output).toMatch(
      /^xterm-256color C\.UTF-8\r\n\/dev\/pts\/\d+\r\n$/,
    );
  });

  it('takes what is typed, the signals among it, and the size of the terminal', async () => {
    const channel = await local.open(task, 'sh');
    channel.send(3, '{"cols":123,"rows":45}');
    channel.type('stty size\r');
    await channel.until(() => channel.output.includes('45 123'));
    channel.type('sleep 1000\r');
    await channel.until(() => channel.output.includes('sleep 1000\r\n'));
    channel.type('\x03');
    channel.type('echo "<$((6 * 7))>"\r');
    await channel.until(() => channel.output.includes('<42>'));
    channel.type('exit\r');
    expect(await channel.closed()).toBe('');
  });

  it('carries text of any size in pieces of a kilobyte that split no character', async () => {
    await local.control('PUT', 'sessions', { pauses: false });
    const channel = await local.open(task, `sh -c 'for i in $(seq 700); do printf "%s" "äöü€😀$i"; done'`);
    await channel.closed();
    const expected = Array.from({ length: 700 }, (_, index) => `äöü€😀${index + 1}`).join('');
    expect(channel.output.toString()).toBe(expected);
    const pieces = channel.frames.filter(({ type }) => type === 'output_stream_data');
    expect(pieces.every(({ payload }) => payload.length <= 1024 + 3)).toBe(true);
    expect(pieces.every(({ payload }) => !payload.toString().includes('\ufffd'))).toBe(true);
    expect(pieces.every(({ digestHolds }) => digestHolds)).toBe(true);
    expect(pieces.find(({ sequence }) => sequence === 0)?.flags).toBe(1);
  });

  it.each([
    [
      '/no/such',
      '\n----------ERROR-------\nUnable to start command: Failed to start pty: fork/exec /no/such: no such file or directory\n',
    ],
    [
      'nosuch',
      '\n----------ERROR-------\nUnable to start command: Failed to start pty: exec: "nosuch": executable file not found in $PATH\n',
    ],
    [
      "echo 'open",
      '\n----------ERROR-------\nUnable to start command: Failed to parse commands input: EOF found when expecting closing quote\n',
    ],
    [' ', 'Commands cannot be empty for session type InteractiveCommands'],
  ])('ends with the agent’s words when "%s" can not be started', async (command, closedWith) => {
    expect(await finished(command)).toEqual({ output: '', closedWith });
  });

  it('sends again what is not acknowledged, and the same bytes', async () => {
    const { session } = await local.execute(task, 'echo hello');
    const channel = await local.connect({ streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' });
    channel.mute = true;
    const firsts = () => channel.frames.filter(({ type, sequence }) => type === 'output_stream_data' && sequence === 0);
    await channel.until(() => firsts().length >= 3);
    expect(new Set(firsts().map(({ id }) => id)).size).toBe(1);
    channel.mute = false;
    await channel.closed();
    expect(channel.output.toString()).toBe('hello\r\n');
  });

  it('takes early messages in order, and acknowledges duplicates and unknown types', async () => {
    const channel = await local.open(task, 'sh');
    await channel.until(() => channel.output.length > 0);
    const input = (sequence: number, payloadType: number, payload: string): void =>
      channel.sendRaw(encodeFrame({ type: 'input_stream_data', sequence, payloadType, payload: Buffer.from(payload) }));
    input(2, 1, 'c$((1+1))\r');
    input(1, 1, ' b');
    input(0, 1, 'echo a');
    input(0, 1, 'echo a');
    input(3, 99, 'what is this');
    await channel.until(() => channel.output.includes('a bc2') && channel.acknowledged.length >= 5);
    expect(channel.acknowledged.toSorted()).toEqual([0, 0, 1, 2, 3]);
    input(4, 1, 'exit\r');
    await channel.closed();
  });

  it('needs its token, once', async () => {
    const { session } = await local.execute(task, 'cat');
    const stream = { streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' };
    const refused = async (tried: typeof stream): Promise<number | undefined> => {
      const channel = await local.connect(tried);
      await channel.until(() => channel.closeCode !== undefined);
      return channel.closeCode;
    };
    expect(await refused({ ...stream, tokenValue: 'wrong' })).toBe(1008);
    const unknown = { ...stream, streamUrl: stream.streamUrl.replace(/ecs-execute-command-\w+/, 'no-such-session') };
    expect(await refused(unknown)).toBe(1008);
    await local.control('PUT', 'sessions', { refuseTokens: 1 });
    expect(await refused(stream)).toBe(1008);
    const channel = await local.connect(stream);
    channel.type('hello');
    await channel.until(() => channel.output.includes('hello'));
    expect(await refused(stream)).toBe(1008);
    channel.type('\x04\x04');
    await channel.closed();
  });

  it('loses and doubles nothing on a bad line', async () => {
    await local.control('PUT', 'sessions', {
      loss: 0.1,
      duplicate: 0.1,
      reorder: 0.1,
      delay: { min: 0, max: 5 },
      pauses: false,
    });
    const channel = await local.open(task, `sh -c 'seq 2000; read line; echo "<$line>"; read end'`);
    const word = 'word'.repeat(30);
    for (const letter of word) channel.type(letter);
    channel.type('\r');
    // The agent gives a session that ends two seconds for what is still under way, which may be too few on this line.
    await channel.until(() => channel.output.includes(`<${word}>`));
    channel.type('\r');
    await channel.closed();
    const numbers = Array.from({ length: 2000 }, (_, index) => `${index + 1}\r\n`).join('');
    expect(channel.output.toString().replace(word, '').replace(/^\r\n/, '')).toContain(`<${word}>`);
    expect(
      channel.output
        .toString()
        .match(/\d+\r\n/g)
        ?.join(''),
    ).toBe(numbers);
  });

  it('has agents that start with the container and end with the task', async () => {
    await local.control('PUT', 'delays', { agent: 1500 });
    const other = await local.runTask();
    await local.control('PUT', 'delays', {});
    expect(other.containers?.[0]?.managedAgents).toEqual([
      { name: 'ExecuteCommandAgent', lastStatus: 'RUNNING', lastStartedAt: expect.any(Date) as Date },
    ]);
    const channel = await local.open(other, 'sh');
    await channel.until(() => channel.output.length > 0);
    local.endpoint.control.interruptSpot(other.taskArn?.split('/').at(-1) ?? '');
    const stopped = await until(async () => {
      const seen = await local.describe(other.taskArn ?? '');
      return seen.lastStatus === 'STOPPED' && seen;
    });
    expect(stopped.containers?.[0]?.managedAgents?.[0]?.lastStatus).toBe('STOPPED');
    expect(channel.closedWith).toBeUndefined();
  });

  it('falls silent when its agent is stopped, and no other can be had', async () => {
    const other = await local.runTask();
    const channel = await local.open(other, 'sh');
    await channel.until(() => channel.output.length > 0);
    await local.control('POST', 'sessions/stop-agent', { task: other.taskArn, container: 'agent' });
    const seen = await local.describe(other.taskArn ?? '');
    expect(seen).toMatchObject({ lastStatus: 'RUNNING', containers: [{ managedAgents: [{ lastStatus: 'STOPPED' }] }] });
    await expect(local.execute(other, 'sh')).rejects.toThrow('the execute command agent isn');
    expect(channel.closedWith).toBeUndefined();
    await expect(local.control('POST', 'sessions/stop-agent', { task: other.taskArn })).rejects.toThrow(
      'no agent runs',
    );
  });

  it('is refused without an agent, for other containers, and when it is not interactive', async () => {
    const refusal = async (attempt: Promise<unknown>): Promise<string> => {
      const error = await attempt.then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      return `${error?.name}: ${error?.message}`;
    };
    const without = await local.runTask({ enableExecuteCommand: false });
    expect(await refusal(local.execute(without, 'sh'))).toMatch(
      /^InvalidParameterException: The execute command failed because execute command was not enabled when the task was run or the execute command agent isn/,
    );
    expect(await refusal(local.execute(task, 'sh', { interactive: false }))).toBe(
      'InvalidParameterException: Interactive is the only mode supported currently.',
    );
    expect(await refusal(local.execute(task, 'sh', { container: 'other' }))).toMatch(
      /^InvalidParameterException: .*other/,
    );
    expect(await refusal(local.execute(task, 'sh', { cluster: 'nope' }))).toBe(
      'ClusterNotFoundException: Cluster not found.',
    );
    expect(await refusal(local.execute({ taskArn: '0'.repeat(32) }, 'sh'))).toMatch(/^InvalidParameterException/);
  });

  it('ends when nobody has said anything for twenty minutes', async () => {
    const channel = await local.open(task, 'cat');
    channel.type('hello');
    await channel.until(() => channel.output.includes('hello'));
    await local.control('POST', 'clock', { advanceMilliseconds: 21 * 60_000 });
    expect(await channel.closed()).toBe('Your session timed out due to inactivity and has been terminated.');
  });
});
