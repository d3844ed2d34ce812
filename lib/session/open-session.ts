import { MngrFargateError } from '../contract/errors';
import { webSocketAgent } from '../aws/web-socket-agent';
import { abortedError, throwIfAborted } from '../util/abort';
import type { Granted } from './aws/session-api';
import { executeCommand, resumeSession, startPortSession, terminateSession } from './aws/session-api';
import type { Signing } from './aws/signed-headers';
import { systemClock } from './channel/clock';
import { dialSocket } from './channel/socket';
import { MultiplexedSession } from './port/port-session';
import { TerminalSession } from './protocol/command-session';
import { Conversation, problemOf } from './protocol/conversation';
import type { Agreement } from './protocol/handshake';
import { RawSession } from './protocol/ssh-session';
import { CLIENT_VERSION, isNewer } from './protocol/versions';
import type {
  CommandSession,
  OpenSessionOptions,
  PortSession,
  SessionClients,
  SessionGrant,
  SessionOf,
  SessionRequest,
  SshSession,
} from './types';

/** Up to these, each side decides about smux's keep-alive without regard to the other. */
const KEEP_ALIVE_CLIENT = '1.2.331.0';
const KEEP_ALIVE_AGENT = '3.1.1511.0';
/** Newer clients, and no others, get multiplexed port sessions. */
const UNMULTIPLEXED_CLIENT = '1.1.69.9999';

/**
 * Opens a session with the agent in a task: grants it, connects, and for ports and SSH waits until the agent has
 * connected to its side. A session that can't be opened is terminated before this throws.
 * Throws `usage`, `denied`, `not-found`, `unreachable`, `aborted` and `failed`; `details.sessionId` where there is one.
 */
export async function openSession<Request extends SessionRequest>(
  options: OpenSessionOptions<Request>,
): Promise<SessionOf<Request>> {
  return (await open(options)) as SessionOf<Request>;
}

async function open(options: OpenSessionOptions): Promise<CommandSession | PortSession | SshSession> {
  const { request, signal, clientVersion = CLIENT_VERSION } = options;
  throwIfAborted('opening the session', signal);
  if (request.kind === 'port' && !isNewer(clientVersion, UNMULTIPLEXED_CLIENT))
    throw new MngrFargateError('usage', `port sessions need a client version of at least 1.1.70, not ${clientVersion}`);
  const granted = await grantOf(options);
  const { sessionId } = granted.grant;
  const conversation = converse(options, granted, clientVersion);
  const stop = (): void => void conversation.abort(abortedError('the session', signal));
  signal?.addEventListener('abort', stop, { once: true });
  void conversation.ended.catch(() => undefined).finally(() => signal?.removeEventListener('abort', stop));
  if (signal?.aborted) stop();
  try {
    conversation.start();
    await conversation.opened;
    if (request.kind === 'command') return new TerminalSession(sessionId, conversation, request.size);
    const agreement = await conversation.started;
    return request.kind === 'ssh'
      ? new RawSession(sessionId, conversation)
      : multiplexed(sessionId, conversation, { options, clientVersion, agreement });
  } catch (error) {
    await conversation.abort(problemOf(error));
    throw await conversation.ended.then(
      () => error,
      (problem: unknown) => problem,
    );
  }
}

function grantOf({ request, clients, signal }: OpenSessionOptions): Promise<Granted> {
  if ('grant' in request) {
    const { grant } = request;
    return Promise.resolve({ grant, target: () => targetOfGrant(grant) });
  }
  return request.kind === 'command'
    ? executeCommand(request, clients, signal)
    : startPortSession(request, clients, signal);
}

const targetOfGrant = ({ target }: SessionGrant): Promise<string> =>
  target === undefined
    ? Promise.reject(
        new MngrFargateError('usage', 'the session is encrypted with a KMS key, and its grant names no target', {
          hint: 'give `grant.target`, as ecs:CLUSTER_TASK_RUNTIME-ID',
        }),
      )
    : Promise.resolve(target);

function converse(options: OpenSessionOptions, { grant, target }: Granted, clientVersion: string): Conversation {
  const { clients, request, clock = systemClock } = options;
  const { ssm, kms } = clients;
  const { sessionId, streamUrl, tokenValue: token } = grant;
  const stopped = new AbortController();
  const conversation: Conversation = new Conversation({
    sessionId,
    clock,
    token,
    clientVersion,
    kind: request.kind === 'command' ? 'shell' : 'port',
    dial: dialSocket({
      url: streamUrl,
      headers: () => headersFor(options, streamUrl),
      agent: () => webSocketAgent(streamUrl),
    }),
    newToken: ssm === undefined ? undefined : (abort) => resumeSession(sessionId, ssm, abort),
    dataKey: async (keyId) => {
      const { generateDataKey } = await import('./aws/data-key.js');
      return generateDataKey({ keyId, sessionId, target: await target(stopped.signal) }, kms, stopped.signal);
    },
    terminate: () => terminateSession(sessionId, ssm),
  });
  const stop = (): void => stopped.abort();
  conversation.ended.then(stop, stop);
  return conversation;
}

async function headersFor(options: OpenSessionOptions, url: string): Promise<Readonly<Record<string, string>>> {
  const signing = await signingOf(options);
  if (signing === undefined) return {};
  const { signedHeaders } = await import('./aws/signed-headers.js');
  return signedHeaders(url, signing);
}

/** Undefined where nobody has credentials or a region, and the token alone must do. */
async function signingOf({ request, clients, ...given }: OpenSessionOptions): Promise<Signing | undefined> {
  const client = clientOf(request, clients);
  const region = given.region ?? (await client?.config.region().catch(() => undefined));
  if (region === undefined) return undefined;
  if (given.credentials !== undefined) return { region, credentials: given.credentials };
  if (client === undefined) return undefined;
  const credentials = await client.config.credentials().catch(() => undefined);
  return credentials === undefined ? undefined : { region, credentials };
}

const clientOf = (request: SessionRequest, { ecs, ssm }: SessionClients) =>
  request.kind === 'command' ? (ecs ?? ssm) : ssm;

function multiplexed(
  sessionId: string,
  conversation: Conversation,
  about: {
    readonly options: OpenSessionOptions;
    readonly clientVersion: string;
    readonly agreement: Agreement | undefined;
  },
): MultiplexedSession {
  const { clientVersion, agreement } = about;
  if (agreement?.multiplexed !== true) {
    const problem = 'the agent does not multiplex this port session, so it has one connection only';
    throw new MngrFargateError('failed', problem, { hint: 'use a session of kind `ssh` for a single connection' });
  }
  const keepAlive = !isNewer(clientVersion, KEEP_ALIVE_CLIENT) || !isNewer(agreement.agentVersion, KEEP_ALIVE_AGENT);
  return new MultiplexedSession(sessionId, conversation, { clock: about.options.clock ?? systemClock, keepAlive });
}
