import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { logStore } from '../../../../lib/local/services/logs/log-store';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';

test('FilterLogEvents of a stream that is not there, beside one that is', async () => {
  const local = await startLocalEndpoint();
  const logs = new CloudWatchLogsClient(local.client);
  try {
    await local.world.part(logStore).append('/mngr/test', 'there', ['line'], new Date());
    const filter = (...logStreamNames: string[]) =>
      logs.send(new FilterLogEventsCommand({ logGroupName: '/mngr/test', logStreamNames }));
    expect((await filter('there')).events).toHaveLength(1);
    await expect(filter('there', 'not there')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log stream does not exist.',
    });
    await expect(filter(...Array.from({ length: 101 }, () => 'there'))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  } finally {
    logs.destroy();
    await local.destroy();
  }
});
