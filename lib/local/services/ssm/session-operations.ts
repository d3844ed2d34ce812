import type {
  ResumeSessionRequest,
  ResumeSessionResponse,
  TerminateSessionRequest,
  TerminateSessionResponse,
} from '@aws-sdk/client-ssm';
import { AwsError } from '../../wire/aws-error';
import type { WorldPlace } from '../../world';
import type { Call } from '../service';
import type { Session } from './session';
import { streamOf } from './sessions';
import type { Sessions } from './sessions';

const sessionArn = ({ region, accountId }: WorldPlace, id: string): string =>
  `arn:aws:ssm:${region}:${accountId}:session/${id}`;

/** Authorizes before it looks, so that nobody learns from a refusal which sessions there are. */
function sessionFor(place: WorldPlace, sessions: Sessions, id: string, action: string, call: Call): Session {
  call.authorize({ action, resource: sessionArn(place, id), context: {} });
  const session = sessions.find(id);
  if (session === undefined) {
    throw new AwsError('DoesNotExistException', `Session ${id} does not exist.`);
  }
  return session;
}

export const resumeSession =
  (place: WorldPlace, sessions: Sessions) =>
  ({ SessionId = '' }: ResumeSessionRequest, call: Call): ResumeSessionResponse => {
    const session = sessionFor(place, sessions, SessionId, 'ssm:ResumeSession', call);
    // Without a token: the session is over, and the client gives up.
    if (session.ended) return { SessionId };
    const { streamUrl, tokenValue } = streamOf(session, call.host);
    return { SessionId, StreamUrl: streamUrl, TokenValue: tokenValue };
  };

export const terminateSession =
  (place: WorldPlace, sessions: Sessions) =>
  ({ SessionId = '' }: TerminateSessionRequest, call: Call): TerminateSessionResponse => {
    sessionFor(place, sessions, SessionId, 'ssm:TerminateSession', call).end('');
    return { SessionId };
  };
