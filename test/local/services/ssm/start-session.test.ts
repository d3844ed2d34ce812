import { DescribeSessionsCommand, ResumeSessionCommand, SSMClient, StartSessionCommand } from '@aws-sdk/client-ssm';
import { TerminateSessionCommand } from '@aws-sdk/client-ssm';
import type { Task } from '@aws-sdk/client-ecs';
import type { DataChannelClient } from '../../../support/endpoint/data-channel-client';
import { ExecEndpoint, processTasks, targetOf } from '../../../support/endpoint/exec-endpoint';
import { listening } from '../../../support/network/listening';
import type { Listening } from '../../../support/network/listening';
import { testKey } from '../../../support/endpoint/runtime-ssh';
import { describeWith } from '../../../support/run/requirements';

jest.setTimeout(30_000);

/** The client's answer to the handshake, and what the agent said. */
async function shakeHands(channel: DataChannelClient, clientVersion: string): Promise<Record<string, unknown>> {
  let request: Record<string, unknown> | undefined;
  let complete = false;
  channel.onMessage = ({ payloadType, payload }) => {
    if (payloadType === 5) request = JSON.parse(payload.toString()) as Record<string, unknown>;
    if (payloadType === 7) complete = true;
  };
  await channel.until(() => request !== undefined);
  const actions = request?.RequestedClientActions as readonly { readonly ActionType: string }[];
  const processed = actions.map(({ ActionType }) => ({ ActionType, ActionStatus: 1, ActionResult: null, Error: '' }));
  channel.send(6, JSON.stringify({ ClientVersion: clientVersion, ProcessedClientActions: processed, Errors: null }));
  await channel.until(() => complete || channel.closedWith !== undefined);
  return request as Record<string, unknown>;
}

const flag = (value: number): Buffer => Buffer.from([0, 0, 0, value]);

/** A frame of smux version 1. */
function mux(command: number, stream: number, data = ''): Buffer {
  const header = Buffer.from([1, command, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16LE(Buffer.byteLength(data), 2);
  header.writeUInt32LE(stream, 4);
  return Buffer.concat([header, Buffer.from(data)]);
}

describeWith(processTasks, 'a session into a port of a task', () => {
  let local: ExecEndpoint;
  let task: Task;
  let ssm: SSMClient;
  let echo: Listening;
  let port: string;

  beforeAll(async () => {
    local = await ExecEndpoint.start();
    ssm = new SSMClient(local.client);
    echo = await listening((socket) => socket.pipe(socket));
    port = echo.port;
    task = await local.runTask();
  });

  afterAll(async () => {
    ssm.destroy();
    echo.server.close();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const start = async (
    documentName: string,
    parameters: Readonly<Record<string, string[]>>,
    target = targetOf(task),
  ): Promise<{ readonly id: string; readonly channel: DataChannelClient }> => {
    const { SessionId, StreamUrl, TokenValue } = await ssm.send(
      new StartSessionCommand({ Target: target, DocumentName: documentName, Parameters: parameters }),
    );
    const channel = await local.connect({ streamUrl: StreamUrl ?? '', tokenValue: TokenValue ?? '' });
    return { id: SessionId ?? '', channel };
  };

  it('reaches the sshd of the task when it asks for port 22', async () => {
    const { publicKey } = testKey();
    const environment = [
      { name: 'MNGR_SSH_PUBLIC_KEY', value: publicKey },
      { name: 'MNGR_BOOT_NONCE', value: '00'.repeat(32) },
    ];
    const overrides = { containerOverrides: [{ name: 'agent', environment }] };
    const host = await local.runTask({ overrides });
    const open = async (): Promise<string> => {
      const { channel } = await start('AWS-StartSSHSession', { portNumber: ['22'] }, targetOf(host));
      const request = await shakeHands(channel, '1.2.650.0');
      expect(request.RequestedClientActions).toEqual([
        { ActionType: 'SessionType', ActionParameters: { SessionType: 'Port', Properties: { portNumber: '22' } } },
      ]);
      await channel.until(() => channel.output.includes('\n') || channel.closedWith !== undefined);
      channel.send(10, flag(2));
      return channel.closedWith ?? channel.output.toString();
    };
    // sshd may still be starting: the agent connects at once, and says when it can't.
    let banner = await open();
    while (banner.includes('connection refused')) banner = await open();
    expect(banner).toMatch(/^SSH-2\.0-.*mngr-host-proof=/);
  });

  it('ends an SSH session with the connection, and says why it can not connect', async () => {
    const farewell = await listening((socket) => socket.end('bye'));
    const { channel } = await start('AWS-StartSSHSession', { portNumber: [farewell.port] });
    await shakeHands(channel, '1.2.650.0');
    expect(await channel.closed()).toBe('');
    expect(channel.output.toString()).toBe('bye');
    farewell.server.close();
    const { channel: refused } = await start('AWS-StartSSHSession', { portNumber: ['1'] });
    await shakeHands(refused, '1.2.650.0');
    expect(await refused.closed()).toMatch(
      /^Unable to connect to specified port: dial tcp 127\.0\.0\.1:1: connect: connection refused/,
    );
  });

  it('carries one connection after the other for a client that does not multiplex', async () => {
    const { channel } = await start('AWS-StartPortForwardingSession', { portNumber: [port], localPortNumber: ['9'] });
    const request = await shakeHands(channel, '0.0.1');
    expect(request.RequestedClientActions).toMatchObject([
      { ActionParameters: { Properties: { portNumber: port, localPortNumber: '9', type: 'LocalPortForwarding' } } },
    ]);
    channel.type('first');
    await channel.until(() => channel.output.toString() === 'first');
    channel.send(10, flag(1));
    channel.type('second');
    await channel.until(() => channel.output.toString() === 'firstsecond');
    channel.send(10, flag(2));
    expect(await channel.closed()).toBe('');
  });

  it('carries many connections at a time for a client that multiplexes', async () => {
    const { channel } = await start('AWS-StartPortForwardingSession', { portNumber: [port] });
    await shakeHands(channel, '1.2.650.0');
    const streams = [3, 5, 7];
    const frames = streams.flatMap((stream) => [mux(0, stream), mux(2, stream, `stream ${stream}`)]);
    const bytes = Buffer.concat(frames);
    // Frames may be cut anywhere.
    for (let at = 0; at < bytes.length; at += 7) channel.send(1, bytes.subarray(at, at + 7));
    const echoed = streams.map((stream) => mux(2, stream, `stream ${stream}`));
    await channel.until(() => echoed.every((frame) => channel.output.includes(frame)));
    channel.send(1, mux(1, 5));
    await channel.until(() => channel.output.includes(mux(1, 5)));
    expect(channel.output.includes(mux(1, 3))).toBe(false);
    channel.send(10, flag(2));
    expect(await channel.closed()).toBe('');
  });

  it('tells a multiplexing client of a connection that can not be made', async () => {
    const { channel } = await start('AWS-StartPortForwardingSession', { portNumber: ['1'] });
    await shakeHands(channel, '1.2.650.0');
    channel.send(1, mux(0, 3));
    await channel.until(() => channel.output.includes(mux(1, 3)));
    expect(channel.frames.filter(({ payloadType }) => payloadType === 10).map(({ payload }) => payload[3])).toContain(
      3,
    );
  });

  it.each(['169.254.169.254', '169.254.169.253', '10.0.0.2', '10.0.255.255'])(
    'forwards nothing to %s',
    async (host) => {
      const { channel } = await start('AWS-StartPortForwardingSessionToRemoteHost', {
        host: [host],
        portNumber: ['80'],
      });
      await shakeHands(channel, '1.2.650.0');
      expect(await channel.closed()).toBe(`Forwarding to IP address ${host} is forbidden.`);
    },
  );

  it('forwards to a host that the task can reach', async () => {
    const { channel } = await start('AWS-StartPortForwardingSessionToRemoteHost', {
      host: ['localhost'],
      portNumber: [port],
    });
    await shakeHands(channel, '0.0.1');
    channel.type('hello');
    await channel.until(() => channel.output.toString() === 'hello');
  });

  it('ends when the client can not do what it is asked', async () => {
    const { channel } = await start('AWS-StartSSHSession', {});
    channel.onMessage = () =>
      channel.send(
        6,
        JSON.stringify({
          ClientVersion: '1.0',
          ProcessedClientActions: [{ ActionType: 'SessionType', ActionStatus: 3, Error: 'no' }],
        }),
      );
    expect(await channel.closed()).toBe('SessionType failed on client with status 3 error: no');
  });

  it('goes on over a cut with a new token, and no byte is lost', async () => {
    const { id, channel } = await start('AWS-StartPortForwardingSession', { portNumber: [port] });
    await shakeHands(channel, '0.0.1');
    let sent = '';
    for (let round = 0; round < 5; round += 1) {
      const text = `<round ${round}>`.repeat(500);
      sent += text;
      for (let at = 0; at < text.length; at += 1000) channel.type(text.slice(at, at + 1000));
      await local.control('POST', 'sessions/cut');
      await channel.until(() => channel.closeCode !== undefined);
      const { StreamUrl, TokenValue } = await ssm.send(new ResumeSessionCommand({ SessionId: id }));
      await channel.open({ streamUrl: StreamUrl ?? '', tokenValue: TokenValue ?? '' });
    }
    await channel.until(() => channel.output.length >= sent.length);
    expect(channel.output.toString()).toBe(sent);
  });

  it('is listed, and ends when it is terminated', async () => {
    const { id, channel } = await start('AWS-StartPortForwardingSession', { portNumber: [port] });
    await shakeHands(channel, '1.2.650.0');
    const listed = async (state: 'Active' | 'History') => {
      const filters = [{ key: 'SessionId' as const, value: id }];
      const { Sessions } = await ssm.send(new DescribeSessionsCommand({ State: state, Filters: filters }));
      return Sessions;
    };
    expect(await listed('Active')).toMatchObject([
      { SessionId: id, Target: targetOf(task), Status: 'Connected', DocumentName: 'AWS-StartPortForwardingSession' },
    ]);
    await ssm.send(new TerminateSessionCommand({ SessionId: id }));
    expect(await channel.closed()).toBe('');
    expect(await listed('Active')).toEqual([]);
    expect(await listed('History')).toMatchObject([{ SessionId: id, Status: 'Terminated' }]);
    expect((await ssm.send(new ResumeSessionCommand({ SessionId: id }))).TokenValue).toBeUndefined();
  });

  it('is refused for targets, documents and parameters that are not there', async () => {
    const refusal = async (attempt: Promise<unknown>): Promise<string> =>
      attempt.then(
        () => '',
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    const nobody = targetOf(task).replace(/\d$/, 'x');
    expect(await refusal(start('AWS-StartSSHSession', {}, nobody))).toBe(
      `TargetNotConnected: ${nobody} is not connected.`,
    );
    expect(await refusal(start('No-Such', {}))).toMatch(/^InvalidDocument: Document with name No-Such/);
    expect(await refusal(start('AWS-StartSSHSession', { portNumber: ['70000'] }))).toMatch(/^ValidationException/);
    expect(await refusal(start('AWS-StartSSHSession', { host: ['x.example'] }))).toMatch(/^ValidationException/);
    expect(await refusal(ssm.send(new ResumeSessionCommand({ SessionId: 'nobody-0' })))).toMatch(/^DoesNotExist/);
  });
});
