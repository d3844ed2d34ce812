import { randomUUID } from 'node:crypto';
import type { Event } from '@aws-sdk/client-cloudtrail';
import type { Credential, Principal } from '../../iam/principal';
import type { Collection } from '../../state/store';
import type { AwsError } from '../../wire/aws-error';
import type { World } from '../../world';

/** CloudTrail user guide, "Event history": events of the last 90 days. Milliseconds. */
const HISTORY = 90 * 24 * 3600_000;
/** The most events that are kept: an endpoint for tests runs for days, not for 90 of them. */
const MOST_EVENTS = 10_000;
/** What stands for a session's token in an event. */
const HIDDEN = 'Value hidden due to security reasons.';

/** A call that CloudTrail records, and how it ended. */
export interface TrailedCall {
  /** As in credential scopes: `ecs`, `ssm`. */
  readonly service: string;
  readonly operation: string;
  readonly requestId: string;
  readonly userAgent: string;
  readonly credential: Credential;
  readonly input: unknown;
  readonly outcome: { readonly output: unknown } | { readonly error: AwsError };
}

interface RecordedEvent {
  readonly event: Event;
  /** When LookupEvents begins to show it. Milliseconds since 1970. */
  readonly visibleAt: number;
}

/** The account's event history. */
export class Trail {
  private readonly records: Collection<RecordedEvent>;

  constructor(private readonly world: World) {
    this.records = world.store.collection<RecordedEvent>('trailEvents');
  }

  record(call: TrailedCall): void {
    const at = this.world.clock.now();
    const eventId = randomUUID();
    const { principal, accessKeyId } = call.credential;
    const event: Event = {
      EventId: eventId,
      EventName: call.operation,
      ReadOnly: 'false',
      AccessKeyId: accessKeyId,
      EventTime: new Date(Math.floor(at.getTime() / 1000) * 1000),
      EventSource: `${call.service}.amazonaws.com`,
      Username: userNameOf(principal),
      Resources: [],
      CloudTrailEvent: JSON.stringify(this.detail(call, eventId, at)),
    };
    this.records.set(eventId, { event, visibleAt: at.getTime() + this.world.delays.take('trail') });
    this.forget(at.getTime());
  }

  /** The events that can be looked up, newest first. */
  events(): Event[] {
    const now = this.world.clock.now().getTime();
    return [...this.records.values()]
      .filter(({ event, visibleAt }) => visibleAt <= now && timeOf(event) > now - HISTORY)
      .map(({ event }) => event)
      .reverse()
      .sort((one, other) => timeOf(other) - timeOf(one));
  }

  /** CloudTrail user guide, "CloudTrail record contents". */
  private detail(call: TrailedCall, eventID: string, at: Date): object {
    const { region, accountId } = this.world.place;
    const { outcome } = call;
    const failure =
      'error' in outcome
        ? {
            errorCode: outcome.error.code.replace(/^(AccessDenied)Exception$/, '$1'),
            errorMessage: outcome.error.message,
          }
        : {};
    return {
      eventVersion: '1.11',
      userIdentity: identityOf(call.credential),
      eventTime: at.toISOString().replace(/\.\d+Z$/, 'Z'),
      eventSource: `${call.service}.amazonaws.com`,
      eventName: call.operation,
      awsRegion: region,
      sourceIPAddress: '127.0.0.1',
      userAgent: call.userAgent,
      ...failure,
      requestParameters: elementsOf(call.input),
      responseElements: 'error' in outcome ? null : elementsOf(outcome.output),
      requestID: call.requestId,
      eventID,
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: accountId,
      eventCategory: 'Management',
    };
  }

  private forget(now: number): void {
    const excess = this.records.size - MOST_EVENTS;
    const old = [...this.records.entries()].filter(
      ([, { event }], index) => index < excess || timeOf(event) <= now - HISTORY,
    );
    for (const [key] of old) this.records.delete(key);
  }
}

export const trail = (world: World): Trail => new Trail(world);

const timeOf = ({ EventTime }: Event): number => EventTime?.getTime() ?? 0;

/** The name of a user, or of a role's session. */
const userNameOf = ({ arn }: Principal): string => arn.slice(arn.lastIndexOf('/') + 1);

/** CloudTrail user guide, "CloudTrail userIdentity element". */
function identityOf({ principal, accessKeyId }: Credential): object {
  const { arn, accountId, userId: principalId } = principal;
  if (principal.kind === 'administrator') {
    return { type: 'IAMUser', principalId, arn, accountId, accessKeyId, userName: userNameOf(principal) };
  }
  const { roleArn } = principal;
  const sessionIssuer = {
    type: 'Role',
    principalId: principalId.split(':')[0],
    arn: roleArn,
    accountId,
    userName: roleArn.slice(roleArn.lastIndexOf('/') + 1),
  };
  return { type: 'AssumedRole', principalId, arn, accountId, accessKeyId, sessionContext: { sessionIssuer } };
}

/** Members as CloudTrail names them, beginning with a small letter, and without secrets. */
function elementsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(elementsOf);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => {
      const small = name.charAt(0).toLowerCase() + name.slice(1);
      return [small, small === 'tokenValue' ? HIDDEN : elementsOf(member)];
    }),
  );
}
