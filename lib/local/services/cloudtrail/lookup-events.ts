import type { Event, LookupAttribute, LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail';
import { AwsError } from '../../wire/aws-error';
import { pageOf } from '../paging';
import type { Call } from '../service';
import type { Trail } from './trail';

/** CloudTrail API, LookupEvents. */
const MOST_RESULTS = 50;

/** What a lookup attribute is compared with. Names of resources aren't recorded here. */
const ATTRIBUTES: Readonly<Record<string, (event: Event) => readonly (string | undefined)[]>> = {
  EventId: ({ EventId }) => [EventId],
  EventName: ({ EventName }) => [EventName],
  ReadOnly: ({ ReadOnly }) => [ReadOnly],
  Username: ({ Username }) => [Username],
  ResourceType: ({ Resources = [] }) => Resources.map(({ ResourceType }) => ResourceType),
  ResourceName: ({ Resources = [] }) => Resources.map(({ ResourceName }) => ResourceName),
  EventSource: ({ EventSource }) => [EventSource],
  AccessKeyId: ({ AccessKeyId }) => [AccessKeyId],
};

export const lookupEvents =
  (trail: Trail) =>
  (request: LookupEventsRequest, call: Call): LookupEventsResponse => {
    call.authorize({ action: 'cloudtrail:LookupEvents', resource: '*', context: {} });
    const { LookupAttributes: attributes = [], MaxResults = MOST_RESULTS, StartTime, EndTime } = request;
    if (attributes.length > 1) {
      throw new AwsError('InvalidLookupAttributesException', 'You can specify only one lookup attribute.');
    }
    if (!Number.isInteger(MaxResults) || MaxResults < 1 || MaxResults > MOST_RESULTS) {
      throw new AwsError('InvalidMaxResultsException', `MaxResults must be between 1 and ${MOST_RESULTS}.`);
    }
    if (StartTime !== undefined && EndTime !== undefined && StartTime > EndTime) {
      throw new AwsError('InvalidTimeRangeException', 'The start time must not be after the end time.');
    }
    if (request.EventCategory !== undefined && request.EventCategory !== 'insight') {
      throw new AwsError('InvalidEventCategoryException', 'The only event category that can be given is insight.');
    }
    const [attribute] = attributes;
    const found = (request.EventCategory === undefined ? trail.events() : [])
      .filter(
        ({ EventTime = new Date(0) }) => EventTime >= (StartTime ?? EventTime) && EventTime <= (EndTime ?? EventTime),
      )
      .filter((event) => attribute === undefined || matches(event, attribute));
    const query = JSON.stringify([attribute, StartTime, EndTime, request.EventCategory]);
    const page = pageOf(found, MaxResults, request.NextToken, query, () => invalidToken());
    return { Events: [...page.items], NextToken: page.nextToken };
  };

function matches(event: Event, { AttributeKey, AttributeValue }: LookupAttribute): boolean {
  const values = ATTRIBUTES[AttributeKey ?? ''];
  if (values === undefined) {
    throw new AwsError('InvalidLookupAttributesException', `${AttributeKey ?? ''} is no lookup attribute.`);
  }
  return values(event).includes(AttributeValue);
}

const invalidToken = (): AwsError =>
  new AwsError('InvalidNextTokenException', 'The token is invalid, or its request had other parameters.');
