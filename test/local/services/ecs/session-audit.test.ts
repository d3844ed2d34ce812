import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { auditedAssembly, LOG_ACTIONS, OVERRIDE } from '../../../support/endpoint/audited-assembly';
import { ExecEndpoint, processTasks } from '../../../support/endpoint/exec-endpoint';
import { eventually } from '../../../support/run/eventually';
import { describeWith } from '../../../support/run/requirements';

jest.setTimeout(30_000);

describeWith(processTasks, 'what a session shows', () => {
  /** Runs a command and gives its log in a group, or the name of the error of reading it. */
  const logged = async (
    configuration: object,
    group: string,
    actions = LOG_ACTIONS,
  ): Promise<readonly string[] | string> => {
    const local = await ExecEndpoint.start(auditedAssembly(configuration, actions));
    const logs = new CloudWatchLogsClient(local.client);
    try {
      const task = await local.runTask();
      const { session } = await local.execute(task, `sh -c 'echo one; echo two'`);
      const stream = { streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' };
      await (await local.connect(stream)).closed();
      const read = new GetLogEventsCommand({ logGroupName: group, logStreamName: session?.sessionId });
      return await eventually(async () => {
        const { events = [] } = await logs.send(read);
        return events.map(({ message }) => message ?? '');
      }, 3_000).catch((error: unknown) => (error as Error).name);
    } finally {
      logs.destroy();
      await local.destroy();
      expect(local.faults).toEqual([]);
    }
  };

  it('is in the log group that the cluster names', async () => {
    expect(await logged(OVERRIDE, '/mngr/audit')).toEqual(['one', 'two']);
  });

  it("is in the container's log group by default", async () => {
    expect(await logged({ Logging: 'DEFAULT' }, '/mngr/test')).toEqual(['one', 'two']);
  });

  it('is nowhere when the cluster logs nothing', async () => {
    expect(await logged({ Logging: 'NONE' }, '/mngr/test')).toBe('ResourceNotFoundException');
  });

  it("is nowhere when the task's role may not write it", async () => {
    expect(await logged(OVERRIDE, '/mngr/audit', LOG_ACTIONS.slice(0, 3))).toBe('ResourceNotFoundException');
  });
});
