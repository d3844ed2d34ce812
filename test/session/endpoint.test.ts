import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Task } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { CommandSession } from '../../lib/session';
import { openSession } from '../../lib/session';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { describeWith } from '../support/run/requirements';

/** Faults of a very bad line, both ways. */
const BAD_LINE = { loss: 0.05, duplicate: 0.1, reorder: 0.1, delay: { min: 0, max: 20 }, pauses: false };

describeWith(processTasks, 'a session with the local endpoint', () => {
  let local: ExecEndpoint;
  let ssm: SSMClient;
  let task: Task;
  beforeAll(async () => {
    local = await ExecEndpoint.start();
    ssm = new SSMClient(local.client);
    task = await local.runTask();
  });
  afterEach(() => local.control('PUT', 'sessions', {}));
  afterAll(async () => {
    ssm.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const open = (command: string): Promise<CommandSession> => {
    const { clusterArn: cluster = '', taskArn = '' } = task;
    const size = { columns: 123, rows: 45 };
    const request = { kind: 'command', cluster, task: taskArn, command, size } as const;
    return openSession({ request, clients: { ecs: local.ecs, ssm } });
  };

  test('shows what a command prints, and its end', async () => {
    await using session = await open(`sh -c 'echo hello; exit 3'`);
    await expect(everything(session.output)).resolves.toEqual(Buffer.from('hello\r\n'));
    await expect(session.ended).resolves.toEqual({ reason: '', by: 'service' });
  });

  test('tells why a command could not be started', async () => {
    await using session = await open('nosuch');
    await expect(session.ended).resolves.toMatchObject({
      reason: expect.stringMatching(/"nosuch": executable file not found in \$PATH/),
    });
  });

  test('types into a shell on a terminal of the given size', async () => {
    await using session = await open('sh');
    const shown = new Shown(session.output);
    session.input.write('stty size; sleep 1000\r');
    await shown.until(/45 123\r\n/);
    session.input.write('\x03');
    session.input.write('echo "<$((6 * 7))>"\r');
    await shown.until(/<42>/);
    session.resize({ columns: 80, rows: 24 });
    session.input.write('stty size; exit\r');
    await shown.until(/24 80\r\n/);
    await expect(session.ended).resolves.toEqual({ reason: '', by: 'service' });
  });

  test('gives input to a program that prints nothing before', async () => {
    await using session = await open(`sh -c 'stty -echo; read line; echo "<$line>"'`);
    session.input.write('typed\n');
    await expect(everything(session.output)).resolves.toEqual(Buffer.from('<typed>\r\n'));
  });

  test('brings every byte both ways over a bad line that breaks', async () => {
    await local.control('PUT', 'sessions', BAD_LINE);
    const sent = Buffer.from(randomBytes(150_000).toString('hex'));
    const command = `stty raw -echo; echo ready; head -c ${sent.length} | sha256sum; seq 20000; echo over; read line`;
    await using session = await open(`sh -c '${command}'`);
    const shown = new Shown(session.output);
    await shown.until(/ready/);
    session.input.write(sent);
    await local.control('POST', 'sessions/cut');
    await shown.until(/ -\n/);
    await local.control('POST', 'sessions/cut');
    await shown.until(/over\n/);
    const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('');
    const digest = createHash('sha256').update(sent).digest('hex');
    expect(shown.text).toBe(`ready\n${digest}  -\n${numbers}over\n`);
    session.input.write('\n');
    await session.ended;
  });

  test('gets in with another token when its first is refused', async () => {
    await local.control('PUT', 'sessions', { refuseTokens: 1 });
    await using session = await open('echo hello');
    await expect(everything(session.output)).resolves.toEqual(Buffer.from('hello\r\n'));
  });

  test('ends what runs when it is closed', async () => {
    const session = await open(`sh -c 'echo started; sleep 1000'`);
    await new Shown(session.output).until(/started/);
    await session.close();
    await expect(session.ended).resolves.toMatchObject({ by: 'caller' });
  });
});

async function everything(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What a terminal has shown so far. */
class Shown {
  text = '';
  private waiting: (() => void)[] = [];

  constructor(output: Readable) {
    output.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      for (const look of this.waiting.splice(0)) look();
    });
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
