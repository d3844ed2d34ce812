import type {
  DescribeSessionsRequest,
  DescribeSessionsResponse,
  Session as DescribedSession,
  SessionFilter,
} from '@aws-sdk/client-ssm';
import { AwsError } from '../../wire/aws-error';
import { pageOf } from '../paging';
import type { Call } from '../service';
import type { Session } from './session';
import type { Sessions } from './sessions';

/** SSM API, DescribeSessions.MaxResults. */
const MAX_PAGE = 200;

type Filter = (session: DescribedSession, value: string) => boolean;

const FILTERS: Readonly<Record<string, Filter>> = {
  InvokedAfter: ({ StartDate }, value) => (StartDate?.getTime() ?? 0) >= Date.parse(value),
  InvokedBefore: ({ StartDate }, value) => (StartDate?.getTime() ?? 0) < Date.parse(value),
  Target: ({ Target }, value) => Target === value,
  Owner: ({ Owner }, value) => Owner === value,
  Status: ({ Status }, value) => Status === value,
  SessionId: ({ SessionId }, value) => SessionId === value,
};

export const describeSessions =
  (sessions: Sessions) =>
  (request: DescribeSessionsRequest, call: Call): DescribeSessionsResponse => {
    call.authorize({ action: 'ssm:DescribeSessions', resource: '*', context: {} });
    const { State: state, Filters: filters = [], MaxResults: limit = MAX_PAGE, NextToken: token } = request;
    if (state !== 'Active' && state !== 'History') {
      throw new AwsError('ValidationException', `State must be Active or History, not ${String(state)}.`);
    }
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
      throw new AwsError('ValidationException', `MaxResults must be between 1 and ${MAX_PAGE}, not ${limit}.`);
    }
    const tests = filters.map(filterOf);
    const found = sessions
      .all()
      .filter(({ ended }) => ended === (state === 'History'))
      .map(described)
      .filter((session) => tests.every((test) => test(session)))
      .reverse();
    const query = JSON.stringify(['sessions', state, filters]);
    const page = pageOf(found, limit, token, query, () => new AwsError('InvalidNextToken', 'The token is not valid.'));
    return { Sessions: [...page.items], NextToken: page.nextToken };
  };

function filterOf({ key = '' as SessionFilter['key'], value = '' }: SessionFilter) {
  const filter = FILTERS[key ?? ''];
  if (filter === undefined) {
    throw new AwsError('InvalidFilterKey', `The local endpoint does not support the filter ${String(key)}.`);
  }
  return (session: DescribedSession): boolean => filter(session, value ?? '');
}

const described = (session: Session): DescribedSession => ({
  SessionId: session.details.id,
  Target: session.details.target,
  Status: session.ended ? 'Terminated' : session.connected ? 'Connected' : 'Disconnected',
  StartDate: session.startedAt,
  EndDate: session.endedAt,
  DocumentName: session.details.documentName,
  Owner: session.details.owner,
  Reason: session.details.reason,
  AccessType: 'Standard',
});
