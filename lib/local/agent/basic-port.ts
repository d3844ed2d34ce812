import type { Socket } from 'node:net';
import { FLAG, PAYLOAD } from './message';
import type { PluginSession } from './plugin';
import { SessionFailure } from './plugin';
import { flagOf, sendPortData } from './port-output';
import type { Dial, PortCarrier } from './port-plugin';

/**
 * One connection at a time, its bytes unchanged. An SSH session ends with its connection; a forwarded port is connected
 * to again when the client sends more.
 */
export class BasicPort implements PortCarrier {
  private connection: Socket | undefined;
  private redialling = false;
  private over: () => void = () => undefined;
  private failed: (error: Error) => void = () => undefined;

  constructor(
    private readonly connect: Dial,
    private readonly redials: boolean,
  ) {}

  async run(session: PluginSession): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.over = resolve;
      this.failed = reject;
    });
    // A failure before it is awaited is reported below.
    ended.catch(() => undefined);
    await this.dial(session);
    const { channel, signal } = session;
    signal.addEventListener('abort', this.over, { once: true });
    if (signal.aborted) this.over();
    channel.onInput = (payloadType, payload) => this.take(session, payloadType, payload);
    try {
      await ended;
    } finally {
      this.connection?.destroy();
    }
  }

  private async dial(session: PluginSession): Promise<void> {
    let connection: Socket;
    try {
      connection = await this.connect();
    } catch (error) {
      throw new SessionFailure(`Unable to connect to specified port: ${(error as Error).message}`);
    }
    this.connection = connection;
    connection.on('error', () => undefined);
    connection.on('drain', () => session.channel.inputReady());
    void this.pump(session, connection);
  }

  private async pump(session: PluginSession, connection: Socket): Promise<void> {
    try {
      for await (const data of connection as AsyncIterable<Buffer>) await sendPortData(session, data);
    } catch {
      // A connection that is cut off ends like one that is closed.
    }
    if (this.connection === connection) this.connection = undefined;
    if (!this.redials) this.over();
  }

  private take(session: PluginSession, payloadType: number, payload: Buffer): boolean {
    if (payloadType === PAYLOAD.flag) {
      const flag = flagOf(payload);
      if (flag === FLAG.terminateSession) this.over();
      if (flag === FLAG.disconnectToPort) {
        this.connection?.destroySoon();
        this.connection = undefined;
      }
      return true;
    }
    if (payloadType !== PAYLOAD.output) return true;
    const { connection } = this;
    if (connection === undefined) {
      if (!this.redials) return true;
      this.redial(session);
      return false;
    }
    if (connection.writableNeedDrain) return false;
    connection.write(payload);
    return true;
  }

  private redial(session: PluginSession): void {
    if (this.redialling) return;
    this.redialling = true;
    this.dial(session)
      .then(() => {
        this.redialling = false;
        session.channel.inputReady();
      })
      .catch((error: Error) => this.failed(error));
  }
}
