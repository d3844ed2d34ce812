import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { ECSClient } from '@aws-sdk/client-ecs';
import { KMSClient } from '@aws-sdk/client-kms';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { RawData, WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { systemClock } from '../../../lib/session';
import type { SessionGrant } from '../../../lib/session';
import { AgentModel } from './agent-model';
import { writeFrame } from './frames';

export const CLUSTER = 'arn:aws:ecs:eu-west-1:123456789012:cluster/web';
export const TASK = 'arn:aws:ecs:eu-west-1:123456789012:task/web/0123456789abcdef0123456789abcdef';
export const TARGET = 'ecs:web_0123456789abcdef0123456789abcdef_0123456789abcdef0123456789abcdef-1234567890';

type Members = Readonly<Record<string, unknown>>;

export interface Received {
  readonly payloadType: number;
  readonly payload: Buffer;
}

/** An error as AWS sends it. */
export class ApiError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * AWS's side of one session, on loopback: the calls that start, resume and end it, its data channel, and the agent
 * behind it. Tests say what the agent does.
 */
export class SessionPeer {
  readonly calls: { readonly name: string; readonly input: Members }[] = [];
  readonly openings: Members[] = [];
  readonly upgrades: IncomingHttpHeaders[] = [];
  readonly received: Received[] = [];
  /** Called with each message of the client's. */
  onReceived: (message: Received) => void = () => undefined;
  /** What a call answers instead of what it would. */
  readonly answers = new Map<string, (input: Members) => unknown>();
  /** Tokens that are turned away. */
  readonly refusedTokens = new Set<string>();
  /** Whether the agent takes what is typed. */
  isReady = true;
  readonly agent: AgentModel;
  readonly sessionId = `ecs-execute-command-${randomBytes(9).toString('hex').slice(0, 17)}`;
  private readonly dataKey = randomBytes(64);
  private socket: WebSocket | undefined;
  private tokens = 0;
  private lastOutput: Buffer = Buffer.alloc(0);
  private readonly waiting = new Set<() => void>();
  private taken = 0;

  private constructor(
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
  ) {
    this.agent = new AgentModel({
      clock: systemClock,
      ready: () => this.isReady,
      received: (payloadType, payload) => {
        this.received.push({ payloadType, payload });
        this.onReceived({ payloadType, payload });
        this.changed();
      },
    });
    server.on('request', (request, response) => void this.call(request, response));
    sockets.on('connection', (socket, request) => this.connected(socket, request));
  }

  /** `answersPings: false`: connections stay open but are dead. */
  static async start({ answersPings = true } = {}): Promise<SessionPeer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SessionPeer(server, new WebSocketServer({ server, autoPong: answersPings }));
  }

  /** Clients of AWS's SDK that call this peer. */
  get clients() {
    const options = {
      endpoint: `http://127.0.0.1:${this.port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'from-sts' },
      maxAttempts: 1,
    };
    return { ecs: new ECSClient(options), ssm: new SSMClient(options), kms: new KMSClient(options) };
  }

  grant(): SessionGrant {
    this.tokens += 1;
    const path = `/v1/data-channel/${this.sessionId}?role=publish_subscribe`;
    return {
      sessionId: this.sessionId,
      streamUrl: `ws://127.0.0.1:${this.port}${path}`,
      tokenValue: `token-${this.tokens}`,
      target: TARGET,
    };
  }

  /** Resolves once the condition holds, which is looked at whenever something arrives. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The next message of the client's that no test has taken yet. */
  async next(): Promise<Received> {
    const index = this.taken++;
    await this.until(() => this.received.length > index);
    return this.received[index] as Received;
  }

  /** What the client has sent as data so far. */
  input(): Buffer {
    return Buffer.concat(this.received.filter(({ payloadType }) => payloadType === 1).map(({ payload }) => payload));
  }

  say(data: string | Buffer, payloadType = 1): void {
    const bytes = Buffer.from(data);
    for (let offset = 0; offset < Math.max(1, bytes.length); offset += 1024)
      this.agent.write(payloadType, bytes.subarray(offset, offset + 1024));
  }

  /** Sends bytes on the current connection as they are. */
  raw(frame: Buffer): void {
    this.socket?.send(frame);
  }

  /** Sends the agent's last output again. */
  repeat(): void {
    this.raw(this.lastOutput);
  }

  /** The service's own messages, which may be without date and digest. */
  notice(type: string): void {
    const frame = writeFrame({ type, sequence: 0, payloadType: 17, payload: Buffer.from('{}') });
    this.raw(frame.fill(0, 40, 48).fill(0, 80, 112));
  }

  /** The service says that the session is over. */
  endSession(output: string): void {
    const body = { MessageType: 'channel_closed', SessionId: this.sessionId, SchemaVersion: 1, Output: output };
    const payload = Buffer.from(JSON.stringify(body));
    this.raw(writeFrame({ type: 'channel_closed', sequence: 0, payloadType: 0, payload }));
  }

  /** Breaks the connection without a word. */
  cut(): void {
    this.agent.send = undefined;
    this.socket?.terminate();
    this.socket = undefined;
  }

  /** The agent's part of the handshake up to its completion; returns the client's answer. */
  async handshake(actions: readonly Members[], agentVersion = '3.3.987.0'): Promise<Members> {
    this.say(JSON.stringify({ AgentVersion: agentVersion, RequestedClientActions: actions }), 5);
    const answer = await this.next();
    if (answer.payloadType !== 6) throw new Error(`payload type ${answer.payloadType} instead of a handshake response`);
    return JSON.parse(answer.payload.toString()) as Members;
  }

  completeHandshake(message = ''): void {
    this.say(JSON.stringify({ HandshakeTimeToComplete: 1_000_000, CustomerMessage: message }), 7);
  }

  /** The whole handshake of a port session. */
  async portHandshake(type: 'LocalPortForwarding' | undefined, agentVersion?: string): Promise<Members> {
    const properties = { portNumber: '80', ...(type === undefined ? {} : { type }) };
    const parameters = { SessionType: 'Port', Properties: properties };
    const answer = await this.handshake([{ ActionType: 'SessionType', ActionParameters: parameters }], agentVersion);
    this.completeHandshake();
    return answer;
  }

  /** As the agent encrypts: with the first half of the data key. */
  encrypt(plain: Buffer): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.dataKey.subarray(0, 32), nonce);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** As the agent decrypts: with the second half. */
  decrypt(sealed: Buffer): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.dataKey.subarray(32), sealed.subarray(0, 12));
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  }

  async stop(): Promise<void> {
    this.agent.stop();
    for (const client of this.sockets.clients) client.terminate();
    this.sockets.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  callsTo(name: string): readonly Members[] {
    return this.calls.filter((call) => call.name === name).map(({ input }) => input);
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private changed(): void {
    for (const look of [...this.waiting]) look();
  }

  private connected(socket: WebSocket, request: IncomingMessage): void {
    this.upgrades.push(request.headers);
    socket.once('message', (data: RawData) => {
      const opening = JSON.parse(text(data)) as Members;
      this.openings.push(opening);
      if (this.refusedTokens.has(String(opening.TokenValue))) {
        socket.close(1008, 'token refused');
        return;
      }
      this.socket = socket;
      this.agent.attach((frame) => {
        if (frame.toString('latin1', 4, 10) === 'output') this.lastOutput = frame;
        socket.send(frame);
      });
      socket.on('message', (frame: RawData) => {
        this.agent.take(frame as Buffer);
        this.changed();
      });
      socket.on('close', () => {
        if (this.socket === socket) this.cut();
        this.changed();
      });
      this.changed();
    });
  }

  get isConnected(): boolean {
    return this.socket !== undefined;
  }

  private async call(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const name = String(request.headers['x-amz-target']).split('.').pop() as string;
    const input = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Members;
    this.calls.push({ name, input });
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.setHeader('x-amzn-requestid', randomUUID());
    try {
      const answer = this.answers.get(name) ?? this.ordinary[name];
      if (answer === undefined) throw new ApiError('UnknownOperationException', name);
      response.end(JSON.stringify(answer(input)));
    } catch (error) {
      const { name: type, message } = error as Error;
      response.statusCode = 400;
      response.end(JSON.stringify({ __type: type, message }));
    }
    this.changed();
  }

  private readonly ordinary: Readonly<Record<string, (input: Members) => unknown>> = {
    ExecuteCommand: ({ container }) => {
      const { sessionId, streamUrl, tokenValue } = this.grant();
      const session = { sessionId, streamUrl, tokenValue };
      return { clusterArn: CLUSTER, taskArn: TASK, containerName: container ?? 'app', interactive: true, session };
    },
    StartSession: () => this.pascalGrant(),
    ResumeSession: () => this.pascalGrant(),
    TerminateSession: ({ SessionId }) => {
      this.endSession('');
      return { SessionId };
    },
    DescribeTasks: () => ({
      tasks: [
        { taskArn: TASK, containers: [{ name: 'app', runtimeId: '0123456789abcdef0123456789abcdef-1234567890' }] },
      ],
      failures: [],
    }),
    GenerateDataKey: ({ KeyId }) => ({
      KeyId,
      Plaintext: this.dataKey.toString('base64'),
      CiphertextBlob: Buffer.from('sealed').toString('base64'),
    }),
  };

  private pascalGrant() {
    const { sessionId: SessionId, streamUrl: StreamUrl, tokenValue: TokenValue } = this.grant();
    return { SessionId, StreamUrl, TokenValue };
  }
}

const text = (data: RawData): string => (data as Buffer).toString('utf8');
