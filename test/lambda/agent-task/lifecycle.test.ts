import { DescribeTasksCommand, ECSClient } from '@aws-sdk/client-ecs';
import { HOST_TAGS } from '../../../lib/contract/tags';
import type { HostProbe } from '../../../lib/hosts/lifecycle/stack-hosts';
import type { Fault } from '../../../lib/local/control/faults';
import { denied } from '../../support/endpoint/denied';
import { handlersAt, propertiesAt, sshTo } from '../../support/cdk/agent-task-environment';
import { until } from '../../support/run/eventually';
import type { HostsEnvironment } from '../../support/host/hosts-environment';
import { startHostsEnvironment } from '../../support/host/hosts-environment';
import type { FrameworkOptions, ModelStackOptions, Properties } from '../../support/cdk/provider-framework';
import { ModelStack, ProviderFramework } from '../../support/cdk/provider-framework';
import { describeWith, program } from '../../support/run/requirements';

const needs = ['sshd', 'ssh', 'tmux', 'jq', 'openssl', 'curl'].map(program);
const TASK_ARN = /^arn:aws:ecs:.*:task\/mngr\/[0-9a-f]{32}$/;
const LONG = 180_000;
/** A key that the rules let pass and that no sshd can read, so that the task ends by itself. */
const BROKEN_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA';

describeWith(needs, 'the hosts of a stack', () => {
  let environment: HostsEnvironment;
  beforeAll(async () => {
    environment = await startHostsEnvironment();
  }, 300_000);
  afterAll(() => environment?.close());
  beforeEach(() => environment.local.control.reset());
  afterEach(async () => {
    environment.local.control.reset();
    const hosts = environment.hosts();
    await hosts.destroyAll();
    await until(async () => (await environment.running()).length === 0);
    expect(environment.local.faults).toEqual([]);
  });

  const plan = (...faults: Fault[]): void => environment.local.control.faults.set(faults);
  const started = (): number =>
    environment.local.control.callLog.list().filter(({ operation }) => operation === 'RunTask').length;
  const properties = (changes: Properties = {}): Properties => propertiesAt(environment, changes);
  const make = (options: FrameworkOptions & ModelStackOptions & { through?: (own: HostProbe) => HostProbe } = {}) => {
    const handlers = handlersAt(environment, options.through);
    const framework = new ProviderFramework(handlers, options);
    return { handlers, framework, stack: new ModelStack(framework, options) };
  };
  const taskOf = async (arn = '') => {
    const answer = await new ECSClient(environment.local.client).send(
      new DescribeTasksCommand({ cluster: environment.config.ecs_cluster, tasks: [arn], include: ['TAGS'] }),
    );
    const task = answer.tasks?.[0];
    return { ...task, named: Object.fromEntries((task?.tags ?? []).map(({ key, value }) => [key, value])) };
  };

  describe('created', () => {
    it(
      'run their command, can be logged in to with the pinned key, and end with the stack',
      async () => {
        const { stack } = make();
        const response = await stack.create(
          properties({
            Command: ['sh', '-c', 'echo "$GREETING" > ~/greeting; sleep 600'],
            Env: { GREETING: "it's $HOME" },
          }),
        );

        expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: expect.stringMatching(TASK_ARN) });
        expect(await environment.running()).toHaveLength(1);
        const { stdout } = await sshTo(
          stack.attributes,
          'cat ~/greeting; tmux list-sessions -F "#S"; echo $MNGR_HOST_ID',
        );
        expect(stdout).toBe(`it's $HOME\nmngr-reviewer\n${stack.attributes.HostId}\n`);

        expect(await stack.delete()).toMatchObject({ Status: 'SUCCESS' });
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );

    it(
      'are hosts to the launcher, which finds and ends them',
      async () => {
        const { stack } = make();
        await stack.create(properties({ MaxAge: 7200, Tags: { team: 'a' } }));
        const hosts = environment.hosts();

        const [host] = await hosts.list();
        expect(host).toMatchObject({
          name: 'reviewer',
          hostId: stack.attributes.HostId,
          ready: true,
          tags: { team: 'a' },
        });
        // ECS creates the task a moment after its expiry was reckoned.
        const minutes = (Date.parse(host?.expiresAt ?? '') - Date.parse(host?.createdAt ?? '')) / 60_000;
        expect(Math.ceil(minutes)).toBe(120);
        await expect(hosts.create({ name: 'reviewer' })).rejects.toMatchObject({ code: 'already-exists' });

        expect(await hosts.destroy('reviewer')).toMatchObject({ wasRunning: true });
        expect(await stack.delete()).toMatchObject({ Status: 'SUCCESS' });
      },
      LONG,
    );

    it(
      'have their public address as the one to use where the environment gives one',
      async () => {
        const reached: string[] = [];
        const { stack } = make({
          through: (own) => async (request) => {
            // The endpoint's private addresses beside a public one are for show.
            const [host] = await environment.hosts().list();
            reached.push(request.host);
            return own({ ...request, host: host?.publicIp ?? request.host });
          },
        });
        await stack.create(properties({ AssignPublicIp: true }));

        const { Address, PublicAddress, PrivateAddress, KnownHosts } = stack.attributes;
        expect(Address).toBe(PublicAddress);
        expect(reached.at(-1)).toBe(PrivateAddress);
        expect(KnownHosts).toMatch(new RegExp(`^${Address} ssh-ed25519 `));
        expect(await sshTo(stack.attributes, 'true')).toMatchObject({ exitCode: 0 });
      },
      LONG,
    );
  });

  describe('updated', () => {
    it(
      'keep their task for tags and age',
      async () => {
        const { stack } = make();
        const first = await stack.create(properties({ Tags: { team: 'a', old: 'x' } }));
        const second = await stack.update(properties({ Tags: { team: 'b' }, MaxAge: 3600 }));

        expect(second).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: first.PhysicalResourceId });
        expect(second.Data).toEqual(first.Data);
        const { named } = await taskOf(first.PhysicalResourceId);
        expect(named).toMatchObject({ team: 'b', [HOST_TAGS.expiresAt]: expect.stringMatching(/Z$/) });
        expect(named).not.toHaveProperty('old');
        expect(started()).toBe(1);
      },
      LONG,
    );

    it(
      'are replaced for everything else, the new one ready before the old one ends',
      async () => {
        const seen: number[] = [];
        const { stack } = make({
          onInvoke: async (_, { RequestType }) => {
            if (RequestType === 'Delete') seen.push((await environment.running()).length);
          },
        });
        const first = await stack.create(properties());
        const second = await stack.update(properties({ Env: { COLOUR: 'green' } }));

        expect(second).toMatchObject({ Status: 'SUCCESS' });
        expect(second.PhysicalResourceId).not.toBe(first.PhysicalResourceId);
        expect(seen[0]).toBe(2);
        expect((await taskOf(first.PhysicalResourceId)).lastStatus).toBe('STOPPED');
        expect(await environment.running()).toHaveLength(1);
        expect(await sshTo(stack.attributes, 'true')).toMatchObject({ exitCode: 0 });
      },
      LONG,
    );

    it.each(['old', 'new'] as const)(
      'go back to the host that runs when its successor fails, whichever id the rollback has (%s)',
      async (rollbackWith) => {
        const { stack } = make({ rollbackWith });
        const first = await stack.create(properties());
        const failed = await stack.update(properties({ PublicKey: BROKEN_KEY }));

        expect(failed).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('exit code 77') });
        expect(stack.physicalId).toBe(first.PhysicalResourceId);
        expect(await environment.running()).toHaveLength(1);
        expect(await sshTo(stack.attributes, 'true')).toMatchObject({ exitCode: 0 });
        expect(started()).toBe(2);
      },
      LONG,
    );

    it(
      'start anew when they have ended by themselves',
      async () => {
        const { stack } = make();
        const first = await stack.create(properties());
        await environment.hosts().destroy('reviewer');
        const second = await stack.update(properties({ Tags: { team: 'b' } }));

        expect(second).toMatchObject({ Status: 'SUCCESS' });
        expect(second.PhysicalResourceId).not.toBe(first.PhysicalResourceId);
        expect(await environment.running()).toHaveLength(1);
      },
      LONG,
    );
  });

  describe('that fail', () => {
    it.each<[string, Fault[], Properties, RegExp]>([
      ['have no room', [{ kind: 'capacity' }], {}, /cannot start host reviewer: Capacity is unavailable/],
      [
        'have no image',
        [{ kind: 'image-pull', reason: 'CannotPullContainerError: pull access denied' }],
        {},
        /stopped before it was ready: .*CannotPullContainerError: pull access denied.*; check that the image exists/,
      ],
      [
        'stop while they start',
        [{ kind: 'stop-while-pending', reason: 'ResourceInitializationError: no route' }],
        {},
        /ResourceInitializationError: no route.*check that the subnets reach ECR/,
      ],
      [
        'end by themselves',
        [],
        { PublicKey: BROKEN_KEY },
        /exit code 77; last log line: "mngr: MNGR_SSH_PUBLIC_KEY is not/,
      ],
      [
        'have no sshd',
        [{ kind: 'no-sshd' }],
        { Timeout: 2 },
        /was not ready within 2 s: sshd does not answer, ECS says RUNNING/,
      ],
      ['are somebody else', [{ kind: 'intruder', mode: 'instead' }], {}, /shows no proof of its host key/],
      ['show another proof', [{ kind: 'wrong-proof' }], {}, /a proof that does not fit its host key/],
      ['are refused', [denied('ecs:RunTask')], {}, /cannot start host reviewer: no; use the operator role/],
      ['have an impossible size', [], { Cpu: 256, Memory: 8192 }, /memory 8192 MiB does not go with cpu 256/],
      [
        'have properties of another version',
        [],
        { Spot: 'perhaps' },
        /the resource's properties are not valid: Spot: /,
      ],
    ])(
      'because they %s, tell why and leave nothing',
      async (_, faults, changes, reason) => {
        const { stack } = make();
        plan(...faults);
        const response = await stack.create(properties(changes));

        expect(response).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(reason) });
        expect(response.Reason).not.toMatch(/\n\s+at /);
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );

    it(
      'tell of it within what CloudFormation takes',
      async () => {
        const { stack } = make();
        plan({ kind: 'stop-while-pending', reason: `ResourceInitializationError: ${'ä'.repeat(5000)}` });
        const { Reason } = await stack.create(properties());

        expect(Reason).toMatch(/^the task of host reviewer stopped before it was ready: ResourceInitializationError/);
        expect(Reason).toContain('check that the subnets reach ECR');
      },
      LONG,
    );

    it(
      'leave the name to the host that has it',
      async () => {
        const hosts = environment.hosts();
        const { taskArn } = await hosts.create({ name: 'reviewer' });
        const { stack } = make();
        const response = await stack.create(properties());

        expect(response).toMatchObject({
          Status: 'FAILED',
          Reason: expect.stringContaining('a host reviewer already exists'),
        });
        expect((await hosts.get('reviewer')).taskArn).toBe(taskArn);
      },
      LONG,
    );

    it(
      'leave nothing when the framework gives up first',
      async () => {
        const { stack } = make({ totalTimeout: 1000 });
        plan({ kind: 'no-sshd' });
        const response = await stack.create(properties());

        expect(response).toMatchObject({ Status: 'FAILED', Reason: 'Operation timed out' });
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );
  });

  describe('whose events go astray', () => {
    it(
      'are one task when an event comes twice, at once or later',
      async () => {
        const { stack, framework } = make();
        const request = stack.request('Create', properties());
        await Promise.all([framework.begin(request), framework.begin(request)]);
        const response = await stack.create(properties(), request.RequestId);
        await framework.begin(request);

        expect(response).toMatchObject({ Status: 'SUCCESS' });
        expect(await environment.running()).toHaveLength(1);
      },
      LONG,
    );

    it(
      'are one task when the answer of RunTask is lost',
      async () => {
        const { stack } = make();
        plan({
          kind: 'error',
          times: 5,
          operation: 'ecs:RunTask',
          code: 'ServerException',
          message: 'lost',
          status: 500,
          afterwards: true,
        });
        const response = await stack.create(properties());

        expect(response).toMatchObject({ Status: 'SUCCESS' });
        expect(await environment.running()).toHaveLength(1);
      },
      LONG,
    );

    it(
      'do not rise again when a Create comes after their Delete',
      async () => {
        const { stack, framework } = make();
        const request = stack.request('Create', properties());
        await stack.create(properties(), request.RequestId);
        await stack.delete();

        expect(await framework.send(request)).toMatchObject({ Status: 'FAILED' });
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );

    it(
      'end when they are deleted while they start',
      async () => {
        const { stack, framework, handlers } = make();
        const creating = stack.create(properties());
        const taskArn = await until(() =>
          Promise.resolve(handlers.log.find(({ notice }) => notice === 'host-launched')?.taskArn as string | undefined),
        );
        const request = { ...stack.request('Delete', properties()), PhysicalResourceId: taskArn };

        expect(await framework.send(request)).toMatchObject({ Status: 'SUCCESS' });
        await creating;
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );

    it.each([
      ['no id', undefined],
      ['the framework’s marker', 'AWSCDK::CustomResourceProviderFramework::CREATE_FAILED'],
      ['another marker', 'AWSCDK::CustomResourceProviderFramework::MISSING_PHYSICAL_ID'],
      ['what is no ARN', 'reviewer'],
      [
        'an ARN that ECS has forgotten',
        'arn:aws:ecs:us-east-1:000000000000:task/mngr/0123456789abcdef0123456789abcdef',
      ],
      [
        'an ARN of a cluster that is gone',
        'arn:aws:ecs:us-east-1:000000000000:task/gone/0123456789abcdef0123456789abcdef',
      ],
    ])('can be deleted with %s', async (_, physicalId?: string) => {
      const { stack, framework } = make();
      const request = stack.request('Delete', properties());

      expect(
        await framework.send(physicalId === undefined ? request : { ...request, PhysicalResourceId: physicalId }),
      ).toMatchObject({ Status: 'SUCCESS' });
    });

    it(
      'can be deleted with properties that nobody understands any more',
      async () => {
        const { stack, framework } = make();
        await stack.create(properties());
        const request = { ...stack.request('Delete', {}), PhysicalResourceId: stack.physicalId };

        expect(await framework.send(request)).toMatchObject({ Status: 'SUCCESS' });
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );

    it(
      'are told to stop again when the first time failed',
      async () => {
        const { stack, handlers } = make();
        await stack.create(properties());
        plan({
          kind: 'error',
          times: 4,
          operation: 'ecs:StopTask',
          code: 'ServerException',
          message: 'busy',
          status: 500,
          afterwards: false,
        });

        expect(await stack.delete()).toMatchObject({ Status: 'SUCCESS' });
        expect(handlers.log).toContainEqual(expect.objectContaining({ notice: 'stop-failed' }));
        expect(await environment.running()).toEqual([]);
      },
      LONG,
    );

    it(
      'keep the stack from claiming that they are gone when nobody may stop them',
      async () => {
        const { stack } = make();
        await stack.create(properties());
        plan(denied('ecs:StopTask'));

        expect(await stack.delete()).toMatchObject({
          Status: 'FAILED',
          Reason: expect.stringContaining('cannot stop task'),
        });
        expect(await environment.running()).toHaveLength(1);
      },
      LONG,
    );

    it(
      'outlive AWS’s moods while they start',
      async () => {
        const { stack } = make();
        plan(
          {
            kind: 'error',
            times: 5,
            operation: 'ec2:DescribeNetworkInterfaces',
            code: 'Unavailable',
            message: 'busy',
            status: 503,
            afterwards: false,
          },
          {
            kind: 'error',
            times: 5,
            operation: 'ecs:TagResource',
            code: 'ServerException',
            message: 'busy',
            status: 500,
            afterwards: false,
          },
        );

        expect(await stack.create(properties())).toMatchObject({ Status: 'SUCCESS' });
        expect((await environment.hosts().list())[0]).toMatchObject({ ready: true });
      },
      LONG,
    );
  });
});
