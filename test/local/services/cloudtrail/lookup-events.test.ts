import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import type { Event, LookupEventsCommandInput } from '@aws-sdk/client-cloudtrail';
import { ECSClient, ExecuteCommandCommand } from '@aws-sdk/client-ecs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { SSMClient, TerminateSessionCommand } from '@aws-sdk/client-ssm';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';

const TASK = '0123456789abcdef0123456789abcdef';
const DAY = 24 * 3600_000;

describe("CloudTrail's event history", () => {
  let local: LocalEndpoint<FakeRuntime>;
  let trail: CloudTrailClient;
  let ssm: SSMClient;

  beforeEach(async () => {
    local = await startLocalEndpoint();
    trail = new CloudTrailClient({ ...local.client, maxAttempts: 1 });
    ssm = new SSMClient(local.client);
  });

  afterEach(async () => {
    trail.destroy();
    ssm.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const lookup = async (input: LookupEventsCommandInput = {}): Promise<Event[]> =>
    (await trail.send(new LookupEventsCommand(input))).Events ?? [];
  const end = (id: string) => ssm.send(new TerminateSessionCommand({ SessionId: id }));
  const sessionsIn = (events: readonly Event[]): unknown[] =>
    events.map(({ CloudTrailEvent = '' }) => {
      const { requestParameters } = JSON.parse(CloudTrailEvent) as { requestParameters: { sessionId: string } };
      return requestParameters.sessionId;
    });

  it('has who called what, when and how it ended', async () => {
    const ecs = new ECSClient(local.client);
    const command = new ExecuteCommandCommand({ cluster: 'mngr', task: TASK, command: 'id', interactive: true });
    await expect(ecs.send(command)).rejects.toThrow();
    ecs.destroy();
    const byName = { LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: 'ExecuteCommand' }] };
    const [event] = await lookup(byName);
    expect(event).toMatchObject({
      EventName: 'ExecuteCommand',
      EventSource: 'ecs.amazonaws.com',
      ReadOnly: 'false',
      AccessKeyId: local.credentials.accessKeyId,
      EventTime: expect.any(Date) as Date,
    });
    expect(JSON.parse(event?.CloudTrailEvent ?? '')).toMatchObject({
      eventID: event?.EventId,
      userIdentity: { type: 'IAMUser', userName: event?.Username },
      errorCode: 'InvalidParameterException',
      requestParameters: { cluster: 'mngr', task: TASK, command: 'id', interactive: true },
      responseElements: null,
    });
  });

  it('is read newest first, in pages whose token belongs to their query', async () => {
    for (const id of ['one', 'two', 'three']) await end(id);
    const byName = { LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: 'TerminateSession' }] };
    const first = await trail.send(new LookupEventsCommand({ ...byName, MaxResults: 2 }));
    expect(sessionsIn(first.Events ?? [])).toEqual(['three', 'two']);
    const rest = { ...byName, MaxResults: 2, NextToken: first.NextToken };
    expect(sessionsIn(await lookup(rest))).toEqual(['one']);
    await expect(lookup({ NextToken: first.NextToken })).rejects.toMatchObject({ name: 'InvalidNextTokenException' });
  });

  it('refuses what AWS refuses', async () => {
    const attribute = { AttributeKey: 'EventName' as const, AttributeValue: 'x' };
    const names: Readonly<Record<string, LookupEventsCommandInput>> = {
      InvalidLookupAttributesException: { LookupAttributes: [attribute, attribute] },
      InvalidMaxResultsException: { MaxResults: 51 },
      InvalidTimeRangeException: { StartTime: new Date(2000), EndTime: new Date(1000) },
    };
    for (const [name, input] of Object.entries(names)) await expect(lookup(input)).rejects.toMatchObject({ name });
    const sts = new STSClient(local.client);
    const { Credentials: keys } = await sts.send(
      new AssumeRoleCommand({ RoleArn: local.outputs.OperatorRoleArn, RoleSessionName: 'someone' }),
    );
    sts.destroy();
    const credentials = {
      accessKeyId: keys?.AccessKeyId ?? '',
      secretAccessKey: keys?.SecretAccessKey ?? '',
      sessionToken: keys?.SessionToken,
    };
    const other = new CloudTrailClient({ ...local.client, credentials });
    await expect(other.send(new LookupEventsCommand({}))).rejects.toMatchObject({ name: 'AccessDeniedException' });
    other.destroy();
  });

  it('shows a call after its delay, and forgets it after 90 days', async () => {
    local.control.delays.set({ trail: 5 * 60_000 });
    await end('late');
    expect(await lookup()).toEqual([]);
    local.control.advanceClock(5 * 60_000);
    expect(sessionsIn(await lookup())).toEqual(['late']);
    local.control.advanceClock(90 * DAY);
    expect(await lookup()).toEqual([]);
  });

  it('may be asked twice a second', async () => {
    local.control.throttles.enable();
    await lookup();
    await lookup();
    await expect(lookup()).rejects.toMatchObject({ name: 'ThrottlingException' });
  });
});
