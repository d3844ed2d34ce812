import type {
  ResumeSessionRequest,
  ResumeSessionResponse,
  TerminateSessionRequest,
  TerminateSessionResponse,
} from '@aws-sdk/client-ssm';
import type { AccessRequest } from '../../iam/policy';
import { AwsError } from '../../wire/aws-error';
import type { WorldPlace } from '../../world';
import type { Call } from '../service';
import type { Session } from './session';
import { streamOf } from './sessions';
import type { Sessions } from './sessions';

const sessionArn = ({ region, accountId }: WorldPlace, id: string): string =>
  `arn:aws:ssm:${region}:${accountId}:session/${id}`;

/** The tags that Session Manager puts on a session (Systems Manager user guide, "Allow a user to terminate only their sessions"). */
const tagsOf = (session: Session | undefined): AccessRequest['context'] =>
  session === undefined
    ? {}
    : {
        'ssm:resourceTag/aws:ssmmessages:session-id': session.details.ownerId,
        'ssm:resourceTag/aws:ssmmessages:target-id': session.details.target,
      };

export const resumeSession =
  (place: WorldPlace, sessions: Sessions) =>
  ({ SessionId = '' }: ResumeSessionRequest, call: Call): ResumeSessionResponse => {
    const session = sessions.find(SessionId);
    call.authorize({ action: 'ssm:ResumeSession', resource: sessionArn(place, SessionId), context: tagsOf(session) });
    if (session === undefined) throw new AwsError('DoesNotExistException', `Session ${SessionId} does not exist.`);
    // Without a token: the session is over, and the client gives up.
    if (session.ended) return { SessionId };
    const { streamUrl, tokenValue } = streamOf(session, call.host);
    return { SessionId, StreamUrl: streamUrl, TokenValue: tokenValue };
  };

export const terminateSession =
  (place: WorldPlace, sessions: Sessions) =>
  ({ SessionId = '' }: TerminateSessionRequest, call: Call): TerminateSessionResponse => {
    const session = sessions.find(SessionId);
    call.authorize({
      action: 'ssm:TerminateSession',
      resource: sessionArn(place, SessionId),
      context: tagsOf(session),
    });
    // A session that doesn't exist counts as ended: the API has no error for it.
    session?.end('');
    return { SessionId };
  };
