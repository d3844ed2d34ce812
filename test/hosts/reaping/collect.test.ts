import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListTaskDefinitionsCommand, RegisterTaskDefinitionCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { newHostId } from '../../../lib/contract/host-name';
import { providerConfigSchema } from '../../../lib/contract/provider-config';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { KeyStore } from '../../../lib/hosts/remote/key-store';
import type { HostRecord } from '../../../lib/hosts/remote/key-store';
import { collectGarbage } from '../../../lib/hosts/reaping/collect';
import type { Collected, CollectOptions } from '../../../lib/hosts/reaping/collect';
import { ImageRevisions } from '../../../lib/hosts/reaping/image-revisions';
import { reap } from '../../../lib/hosts/reaping/reap';
import { defaultRules } from '../../../lib/hosts/reaping/rules';
import { TaskDefinitions } from '../../../lib/hosts/ecs/task-definitions';
import type { HostsOptions } from '../../../lib/hosts/model/types';
import { generateKeyPair } from '../../../lib/ssh';
import { denied } from '../../support/endpoint/denied';
import { fromNow, HOUR, ReaperFleet } from '../../support/host/reaper-fleet';

describe('collecting by hand what hosts have left behind', () => {
  let fleet: ReaperFleet;
  let keyDirectory: string;
  let options: HostsOptions;
  beforeEach(async () => {
    fleet = await ReaperFleet.start();
    keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-gc-'));
    const { endpoint, credentials, region } = fleet.local;
    options = {
      config: providerConfigSchema.parse({ aws_region: region, subnets: ['subnet-1'] }),
      keyDirectory,
      aws: { endpoint, credentials: () => Promise.resolve(credentials) },
    };
  });
  afterEach(async () => {
    await fleet.stop();
    rmSync(keyDirectory, { recursive: true, force: true });
  });

  const collect = (request: CollectOptions = {}): Promise<Collected> => collectGarbage(options, request);

  describe('key folders', () => {
    const record = async (change: Partial<HostRecord>): Promise<string> => {
      const hostId = newHostId();
      const pair = generateKeyPair(hostId);
      const { region } = fleet.local;
      await new KeyStore(keyDirectory).create(
        {
          hostId,
          name: 'gone',
          provider: 'fargate',
          taskArn: `arn:aws:ecs:${region}:${fleet.host('x').split(':')[4]}:task/mngr/${'0'.repeat(32)}`,
          createdAt: fromNow(-3 * HOUR),
          nonce: null,
          setup: null,
          ...change,
        },
        pair,
      );
      return hostId;
    };
    const remaining = async (): Promise<string[]> =>
      (await new KeyStore(keyDirectory).records()).map(({ hostId }) => hostId).sort();
    const account = (): string => fleet.host('y').split(':')[4] ?? '';

    it('removes those of hosts that ECS has forgotten', async () => {
      const gone = await record({});
      await expect(collect({ dryRun: true })).resolves.toMatchObject({
        removed: [{ kind: 'key-folder', id: gone, because: expect.stringContaining('host gone') as string }],
      });
      await expect(remaining()).resolves.toEqual([gone]);
      await expect(collect()).resolves.toMatchObject({ removed: [{ id: gone }] });
      await expect(remaining()).resolves.toEqual([]);
    });

    it('keeps those of hosts that may live: here or elsewhere, stopped just now, launched just now', async () => {
      const [live, stopped] = [fleet.host('live'), fleet.host('stopped')];
      await fleet.ecs.send(new StopTaskCommand({ cluster: 'mngr', task: stopped }));
      const arn = (region: string, owner: string, cluster: string): string =>
        `arn:aws:ecs:${region}:${owner}:task/${cluster}/${'0'.repeat(32)}`;
      const { region } = fleet.local;
      const kept = [
        await record({ taskArn: live }),
        await record({ taskArn: stopped }),
        await record({ taskArn: null }),
        await record({ provider: 'other' }),
        await record({ taskArn: arn('eu-north-1', account(), 'mngr') }),
        await record({ taskArn: arn(region, '999999999999', 'mngr') }),
        await record({ taskArn: arn(region, account(), 'elsewhere') }),
        await record({ createdAt: fromNow(-HOUR) }),
        await record({ createdAt: 'some day' }),
      ];
      await expect(collect()).resolves.toMatchObject({ removed: [], failed: [], notLookedAt: [] });
      await expect(remaining()).resolves.toEqual(kept.sort());
    });

    it('keeps all of them when ECS could not be asked', async () => {
      const gone = await record({});
      fleet.local.control.faults.set([
        {
          kind: 'error',
          operation: 'ecs:DescribeTasks',
          code: 'ServerException',
          message: 'down',
          status: 500,
          afterwards: false,
        },
      ]);
      await expect(collect()).resolves.toMatchObject({ complete: false, removed: [] });
      await expect(remaining()).resolves.toEqual([gone]);
    });
  });

  describe('revisions of image overrides', () => {
    const days = (count: number): number => count * 24 * HOUR;
    const revisions = async (): Promise<number[]> => {
      const { taskDefinitionArns = [] } = await fleet.ecs.send(
        new ListTaskDefinitionsCommand({ familyPrefix: 'mngr-task', status: 'ACTIVE' }),
      );
      return taskDefinitionArns.map((arn) => Number(arn.split(':').pop()));
    };
    const use = (image: string, base = 'mngr-task'): Promise<string> => {
      const config = { ...options.config, task_definition: base };
      return new TaskDefinitions(fleet.client(), config).revisionFor(image);
    };
    /** A deployment with another setting of the stack's task definition. */
    const deploy = async (): Promise<void> => {
      const config = options.config;
      const definitions = new TaskDefinitions(fleet.client(), config);
      const { containerDefinitions, ...base } = await definitions.base();
      const input = { ...base, containerDefinitions } as RegisterTaskDefinitionCommandInput;
      await fleet.ecs.send(new RegisterTaskDefinitionCommand(input));
    };
    const clear = (after: number, only?: ReadonlySet<string>) => {
      const tasks = fleet.tasks();
      tasks.now = () => Date.now() + after;
      return reap(tasks, {
        rules: defaultRules('mngr-task'),
        place: { region: 'us-east-1', publicIp: false },
        leftovers: [new ImageRevisions(fleet.client(), 'mngr-task')],
        tell: () => undefined,
        only,
      });
    };

    it('go when a deployment has replaced their base and nothing runs them, after a week', async () => {
      await use('registry.example.com/a:1');
      await use('registry.example.com/b:1');
      await deploy();
      await expect(revisions()).resolves.toEqual([1, 2, 3, 4]);
      await expect(clear(days(6))).resolves.toMatchObject({ leftovers: {} });
      await expect(clear(days(8))).resolves.toMatchObject({ leftovers: { 'task-definition-revision': 2 } });
      await expect(revisions()).resolves.toEqual([1, 4]);
    });

    it('stay while launchers go back to them, and work then', async () => {
      const first = await use('registry.example.com/a:1');
      await use('registry.example.com/b:1');
      await expect(clear(days(30))).resolves.toMatchObject({ leftovers: {} });
      await expect(use('registry.example.com/a:1')).resolves.toBe(first);
    });

    it('stay while a task runs them', async () => {
      const arn = await use('registry.example.com/a:1');
      fleet.host('fox');
      const record = [...fleet.local.control.tasks.all()][0];
      if (record !== undefined) record.task.taskDefinitionArn = arn;
      await deploy();
      await expect(clear(days(8))).resolves.toMatchObject({ leftovers: {} });
    });

    it('are left to the reaper, with a notice, if the credentials may not list them', async () => {
      const config = { ...options.config, aws_role_arn: fleet.local.outputs.OperatorRoleArn };
      const past = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
      await expect(collectGarbage({ ...options, config })).resolves.toMatchObject({
        complete: true,
        stopped: [{ taskArn: past, host: 'past', reason: 'expired' }],
        notLookedAt: [
          {
            kind: 'task-definition-revision',
            because: expect.stringContaining('not authorized to perform: ecs:ListTaskDefinitions') as string,
          },
        ],
        failed: [],
      });
    });
  });

  it('acts on nothing but what was agreed to', async () => {
    const [agreed, other] = ['a', 'b'].map((name) =>
      fleet.host(name, { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } }),
    );
    await expect(collect({ only: new Set([agreed ?? '']) })).resolves.toMatchObject({ stopped: [{ taskArn: agreed }] });
    await expect(fleet.stopped([agreed ?? '', other ?? ''])).resolves.toEqual([agreed]);
  });

  it('says that it may not list the tasks', async () => {
    fleet.local.control.faults.set([denied('ecs:ListTasks')]);
    await expect(collect()).rejects.toMatchObject({ code: 'denied' });
  });

  it('ends at once when it is aborted', async () => {
    fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    await expect(collect({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  });
});
