import type { PluginSession, SessionPlugin } from './plugin';
import { SessionFailure } from './plugin';
import { PAYLOAD } from './message';

export const AGENT_VERSION = '3.3.987.0';
/** Milliseconds that the agent waits for each of the client's answers. */
const ANSWER_TIMEOUT = 15_000;
const SUCCESS = 1;

/** What the agent asks the client to do before the session begins. */
export interface ClientAction {
  readonly ActionType: string;
  readonly ActionParameters: object;
}

/** How the client has processed it. */
export interface ProcessedAction {
  readonly ActionType: string;
  readonly ActionStatus: number;
  readonly ActionResult?: unknown;
  readonly Error?: string;
}

/** What the client has answered. */
export interface HandshakeResult {
  /** For example `1.2.650.0`. */
  readonly clientVersion: string;
  readonly actions: readonly ProcessedAction[];
}

/** Asks the client, and waits for what it answers. Throws SessionFailure. */
export async function shakeHands(
  session: PluginSession,
  plugin: SessionPlugin,
  furtherActions: readonly ClientAction[],
): Promise<HandshakeResult> {
  const sessionType = { SessionType: plugin.sessionType, Properties: plugin.properties };
  const request = {
    AgentVersion: AGENT_VERSION,
    RequestedClientActions: [{ ActionType: 'SessionType', ActionParameters: sessionType }, ...furtherActions],
  };
  const answer = answerOf(session, PAYLOAD.handshakeResponse);
  await session.channel.send(PAYLOAD.handshakeRequest, Buffer.from(JSON.stringify(request)));
  const response = (await answer) as {
    readonly ClientVersion?: string;
    readonly ProcessedClientActions?: readonly ProcessedAction[];
  };
  const actions = response.ProcessedClientActions ?? [];
  for (const { ActionType } of request.RequestedClientActions) {
    const processed = actions.find((action) => action.ActionType === ActionType);
    if (processed?.ActionStatus === SUCCESS) continue;
    throw new SessionFailure(
      `${ActionType} failed on client with status ${processed?.ActionStatus ?? 0} error: ${processed?.Error ?? ''}`,
    );
  }
  return { clientVersion: response.ClientVersion ?? '', actions };
}

/** Tells the client that the session begins. `startedAt` is the start of the handshake by `performance.now()`. */
export async function completeHandshake(session: PluginSession, startedAt: number, message?: string): Promise<void> {
  const nanoseconds = Math.round((performance.now() - startedAt) * 1e6);
  const complete = { HandshakeTimeToComplete: nanoseconds, CustomerMessage: message ?? '' };
  await session.channel.send(PAYLOAD.handshakeComplete, Buffer.from(JSON.stringify(complete)));
}

/** The next message of a type; all others are acknowledged and dropped meanwhile, as the agent does. */
export function answerOf(session: PluginSession, wanted: number): Promise<unknown> {
  const { channel, signal } = session;
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => finish(() => reject(new SessionFailure(message)));
    const timer = setTimeout(
      () => fail('Handshake timed out. Please ensure that you have the latest version of the session manager plugin.'),
      ANSWER_TIMEOUT,
    );
    const aborted = (): void => fail('the session was terminated');
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      channel.onInput = () => false;
      settle();
    };
    signal.addEventListener('abort', aborted, { once: true });
    channel.onInput = (payloadType, payload) => {
      if (payloadType !== wanted) return true;
      try {
        const answer: unknown = JSON.parse(payload.toString('utf8'));
        finish(() => resolve(answer));
      } catch {
        fail('Could not deserialize rawMessage, the handshake of the client is not JSON');
      }
      return true;
    };
  });
}

/** Negative when the first version is the older one. Versions are numbers separated by dots. */
export function compareVersions(a: string, b: string): number {
  const [left = [], right = []] = [a, b].map((version) => version.split('.').map(Number));
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
