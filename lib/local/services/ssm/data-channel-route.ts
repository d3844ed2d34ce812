import type { RawData, WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import * as z from 'zod';
import { authenticate } from '../../wire/http/authentication';
import type { Upgrade, UpgradeRoute } from '../../wire/http/upgrades';
import { awsJson11 } from '../../wire/json';
import type { World } from '../../world';
import type { ClientConnection, Session } from './session';
import type { Sessions } from './sessions';

/** The service that signatures of the data channel name. */
const MESSAGES = { signingName: 'ssmmessages', protocol: awsJson11({ targetPrefix: '' }) };

/** Milliseconds for the frame that opens the channel. */
const OPEN_TIMEOUT = 15_000;
/** Bytes; messages carry a kilobyte, the opening frame its token. */
const MAX_FRAME = 256 * 1024;
/** WebSocket's close code for a peer that breaks the rules. */
const POLICY_VIOLATION = 1008;

const openFrame = z.object({ MessageSchemaVersion: z.string(), RequestId: z.string(), TokenValue: z.string() });

/** Where clients open the data channels of their sessions. */
export function dataChannelRoute(world: World, sessions: Sessions): UpgradeRoute {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_FRAME });
  return {
    path: /\/v1\/data-channel\/([A-Za-z0-9._-]+)/,
    open: ({ head, message, socket, firstBytes }: Upgrade, [sessionId = '']) => {
      // Clients that have credentials sign the request; the token alone admits the others.
      if (head.headers.authorization !== undefined) authenticate({ ...head, body: Buffer.alloc(0) }, MESSAGES, world);
      server.handleUpgrade(message, socket, firstBytes, (webSocket) => serve(webSocket, sessions.find(sessionId)));
    },
  };
}

function serve(socket: WebSocket, session: Session | undefined): void {
  let connection: ClientConnection | undefined;
  const refuse = (): void => socket.close(POLICY_VIOLATION, 'the session or its token is not valid');
  const timer = setTimeout(refuse, OPEN_TIMEOUT);
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    clearTimeout(timer);
    if (connection !== undefined) session?.disconnected(connection);
  });
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const frame = bufferOf(data);
    if (connection !== undefined) {
      if (isBinary) session?.fromClient(frame);
      return;
    }
    clearTimeout(timer);
    const token = isBinary ? undefined : tokenOf(frame);
    if (session === undefined || token === undefined || !session.redeem(token)) {
      refuse();
      return;
    }
    connection = connectionOf(socket);
    session.connect(connection);
  });
}

const connectionOf = (socket: WebSocket): ClientConnection => ({
  send: (frame) => {
    if (socket.readyState === socket.OPEN) socket.send(frame, { binary: true });
  },
  close: () => socket.close(),
  cut: () => socket.terminate(),
});

function tokenOf(frame: Buffer): string | undefined {
  try {
    return openFrame.parse(JSON.parse(frame.toString('utf8'))).TokenValue;
  } catch {
    return undefined;
  }
}

const bufferOf = (data: RawData): Buffer =>
  Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
