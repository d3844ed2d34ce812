import { ECSClient } from '@aws-sdk/client-ecs';
import { EcsClient, REAPER_SHARE } from '../../../lib/aws/ecs-client';
import { Tasks } from '../../../lib/hosts/ecs/tasks';
import { reap } from '../../../lib/hosts/reaping/reap';
import { defaultRules } from '../../../lib/hosts/reaping/rules';
import { localHosts, START_UP } from '../../support/cli/cli-local';
import { until } from '../../support/run/eventually';
import { startHostsEnvironment } from '../../support/host/hosts-environment';
import type { HostsEnvironment } from '../../support/host/hosts-environment';
import { describeWith } from '../../support/run/requirements';

describeWith(localHosts, 'the reaper on hosts that run', () => {
  let environment: HostsEnvironment;
  let ecs: ECSClient;
  beforeAll(async () => {
    environment = await startHostsEnvironment();
    ecs = new ECSClient(environment.local.client);
  }, START_UP);
  afterAll(async () => {
    ecs.destroy();
    await environment.close();
  }, START_UP);

  it(
    'ends the too old and the never ready, and leaves the one that is used',
    async () => {
      const hosts = environment.hosts();
      const used = await hosts.create({ name: 'used' });
      const old = await hosts.create({ name: 'old', maxAge: 3600 });
      // As after a launcher that was killed: the task runs, and nobody makes it ready.
      const orphan = await hosts.create({ name: 'orphan', wait: false });
      await until(async () => (await environment.running()).length === 3);
      const { ecs_cluster: cluster, task_definition: family } = environment.config;
      const tasks = new Tasks(new EcsClient({ ecs }, REAPER_SHARE), cluster);
      const run = () =>
        reap(tasks, {
          rules: defaultRules(family),
          place: { region: 'us-east-1', publicIp: true },
          tell: () => undefined,
        });

      await expect(run()).resolves.toMatchObject({ complete: true, stopped: {}, reported: {}, census: { hosts: 3 } });
      tasks.now = () => Date.now() + 2 * 3_600_000;
      await expect(run()).resolves.toMatchObject({ stopped: { expired: 1, 'never-ready': 1 }, errors: 0 });

      await until(async () => (await environment.running()).length === 1);
      await expect(hosts.exec('used', ['true'])).resolves.toMatchObject({ exitCode: 0 });
      await expect(hosts.list()).resolves.toMatchObject([{ taskArn: used.taskArn }]);
      for (const { taskArn } of [old, orphan]) {
        await expect(hosts.get(taskArn)).resolves.toMatchObject({
          stoppedReason: expect.stringMatching(/^reaper: /) as string,
        });
      }
    },
    START_UP,
  );
});
