import type {
  ResumeSessionRequest,
  ResumeSessionResponse,
  TerminateSessionRequest,
  TerminateSessionResponse,
} from '@aws-sdk/client-ssm';
import { AwsError } from '../../wire/aws-error';
import type { WorldPlace } from '../../world';
import type { Call } from '../service';
import { streamOf } from './sessions';
import type { Sessions } from './sessions';

const sessionArn = ({ region, accountId }: WorldPlace, id: string): string =>
  `arn:aws:ssm:${region}:${accountId}:session/${id}`;

export const resumeSession =
  (place: WorldPlace, sessions: Sessions) =>
  ({ SessionId = '' }: ResumeSessionRequest, call: Call): ResumeSessionResponse => {
    call.authorize({ action: 'ssm:ResumeSession', resource: sessionArn(place, SessionId), context: {} });
    const session = sessions.find(SessionId);
    if (session === undefined) throw new AwsError('DoesNotExistException', `Session ${SessionId} does not exist.`);
    // Without a token: the session is over, and the client gives up.
    if (session.ended) return { SessionId };
    const { streamUrl, tokenValue } = streamOf(session, call.host);
    return { SessionId, StreamUrl: streamUrl, TokenValue: tokenValue };
  };

export const terminateSession =
  (place: WorldPlace, sessions: Sessions) =>
  ({ SessionId = '' }: TerminateSessionRequest, call: Call): TerminateSessionResponse => {
    call.authorize({ action: 'ssm:TerminateSession', resource: sessionArn(place, SessionId), context: {} });
    // A session that isn't there is over as well: the API has no error for it.
    sessions.find(SessionId)?.end('');
    return { SessionId };
  };
