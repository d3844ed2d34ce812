import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { startedByOf } from '../../../lib/contract/host-name';
import { HOST_TAGS } from '../../../lib/contract/tags';
import type { CreateStep, Host, Hosts } from '../../../lib/hosts';
import { defaultRules, judge } from '../../../lib/hosts/reaping/rules';
import type { Verdict } from '../../../lib/hosts/reaping/rules';
import { factsOf } from '../../../lib/hosts/reaping/task-facts';
import { familyOf } from '../../../lib/contract/task-definition-family';
import { generateKeyPair } from '../../../lib/ssh';
import type { Fault } from '../../../lib/local/control/faults';
import { until } from '../../support/run/eventually';
import { smallFileSystem, withSmallFileSystem } from '../../support/host/hosts-disk';
import { startHostsEnvironment } from '../../support/host/hosts-environment';
import type { HostsEnvironment } from '../../support/host/hosts-environment';
import type { LauncherSettings } from '../../support/host/hosts-launcher';
import { describeWith, program } from '../../support/run/requirements';
import { ROOT } from '../../support/run/paths';

/** Milliseconds that a program, or a test of several, may take on a busy machine. */
const PATIENCE_MS = 120_000;
const LONG = 180_000;

const recordsIn = (keyDirectory: string): string[] => {
  const folder = join(keyDirectory, 'hosts');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describeWith([program('sshd'), program('tmux')], 'faults while a host is created', () => {
  let environment: HostsEnvironment;
  let hosts: Hosts;
  let keyDirectory: string;

  beforeAll(async () => {
    environment = await startHostsEnvironment();
  }, 120_000);
  afterAll(() => environment.close());
  beforeEach(() => {
    environment.local.control.reset();
    keyDirectory = environment.keyDirectory();
    hosts = environment.hosts({ keyDirectory });
  });
  afterEach(async () => {
    environment.local.control.reset();
    await hosts.destroyAll();
    await untilNothingRuns();
    expect(environment.local.faults).toEqual([]);
  });

  const untilNothingRuns = async (): Promise<void> => {
    const live = async (): Promise<number> => (await environment.running()).length + (await hosts.list()).length;
    await until(async () => (await live()) === 0);
  };
  const plan = (...faults: Fault[]): void => environment.local.control.faults.set(faults);
  const calls = (operation: string): number =>
    environment.local.control.callLog.list().filter((call) => call.operation === operation).length;

  /** What every failed create must hold to. */
  const expectNothingLeft = async (): Promise<void> => {
    await untilNothingRuns();
    expect(recordsIn(keyDirectory)).toEqual([]);
  };

  test.each<[string, Fault, object]>([
    [
      'no capacity anywhere',
      { kind: 'capacity' },
      { code: 'no-capacity', message: expect.stringContaining('Capacity is unavailable') },
    ],
    [
      'no permission to run tasks',
      {
        kind: 'error',
        operation: 'ecs:RunTask',
        code: 'AccessDeniedException',
        message: 'not authorized',
        status: 400,
        afterwards: false,
      },
      { code: 'denied', message: expect.stringContaining('not authorized') },
    ],
    [
      'a used-up quota',
      {
        kind: 'error',
        operation: 'ecs:RunTask',
        code: 'ClientException',
        status: 400,
        afterwards: false,
        message: "You've reached the limit on the number of vCPUs you can run concurrently",
      },
      { code: 'no-capacity' },
    ],
    [
      'a parameter that AWS refuses',
      {
        kind: 'error',
        operation: 'ecs:RunTask',
        code: 'InvalidParameterException',
        message: 'bad',
        status: 400,
        afterwards: false,
      },
      { code: 'usage' },
    ],
    [
      'a task that stops while it is pending',
      { kind: 'stop-while-pending', reason: 'ResourceInitializationError: no route' },
      { code: 'task-stopped', message: expect.stringContaining('no route'), hint: expect.stringContaining('subnets') },
    ],
    [
      'an image that cannot be pulled',
      { kind: 'image-pull', reason: 'CannotPullContainerError: denied' },
      {
        code: 'task-stopped',
        message: expect.stringContaining('CannotPullContainerError'),
        hint: expect.stringContaining('image'),
      },
    ],
    ['a proof of another nonce', { kind: 'wrong-proof' }, { code: 'unverified-host-key' }],
    ['an intruder instead of the host', { kind: 'intruder', mode: 'instead' }, { code: 'unverified-host-key' }],
    ['an intruder before the host', { kind: 'intruder', mode: 'before' }, { code: 'unverified-host-key' }],
  ])('%s: a clear error, and nothing is left', async (_, fault, expected) => {
    // An intruder must have the time to be found before the host takes its place.
    environment.local.control.delays.set({ pull: 1000 });
    plan(fault);
    // Over Session Manager there would be no way for an intruder in front of the host.
    const config = { ...environment.config, transport: 'direct' as const };
    await expect(environment.hosts({ keyDirectory, config }).create({ name: 'faulty' })).rejects.toMatchObject(
      expected,
    );
    await expectNothingLeft();
  });

  test('sshd never answers: timed out, and nothing is left', async () => {
    plan({ kind: 'no-sshd' });
    await expect(hosts.create({ name: 'silent', timeout: 2 })).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('within 2 s'),
    });
    await expectNothingLeft();
  });

  test('one zone without room: another subnet is tried', async () => {
    plan({ kind: 'capacity', times: 1 });
    await expect(hosts.create({ name: 'elsewhere' })).resolves.toMatchObject({ ready: true });
  });

  test('an answer of RunTask that is lost starts no second task', async () => {
    plan({
      kind: 'error',
      times: 2,
      operation: 'ecs:RunTask',
      code: 'ServerException',
      message: 'lost',
      status: 500,
      afterwards: true,
    });
    await expect(hosts.create({ name: 'lost' })).resolves.toMatchObject({ ready: true });
    expect(await environment.running()).toHaveLength(1);
  });

  test('when every answer of RunTask is lost the task is found and stopped', async () => {
    plan({
      kind: 'error',
      operation: 'ecs:RunTask',
      code: 'ServerException',
      message: 'lost',
      status: 500,
      afterwards: true,
    });
    await expect(hosts.create({ name: 'lost' })).rejects.toMatchObject({ code: 'failed' });
    await expectNothingLeft();
  });

  test('throttling of every call only delays a create', async () => {
    const operations = ['RunTask', 'DescribeTasks', 'ListTasks', 'TagResource', 'DescribeTaskDefinition'];
    plan(
      ...operations.map((name): Fault => ({
        kind: 'error',
        times: 4,
        operation: `ecs:${name}`,
        code: 'ThrottlingException',
        message: 'Rate exceeded',
        status: 400,
        afterwards: false,
      })),
    );
    await expect(hosts.create({ name: 'throttled' })).resolves.toMatchObject({ ready: true });
  });

  const refusedTag = (times: number, code: string, status: number): Fault => ({
    kind: 'error',
    operation: 'ecs:TagResource',
    message: 'no',
    afterwards: false,
    times,
    code,
    status,
  });

  test('a host is marked as ready although TagResource fails for a while', async () => {
    plan(refusedTag(9, 'ServerException', 500));
    const machine = environment.hosts({ keyDirectory });
    await expect(machine.create({ name: 'late' })).resolves.toMatchObject({ ready: true });
    await machine.close();
    await expect(hosts.get('late')).resolves.toMatchObject({ ready: true });
  });

  test('a host that could not be marked as ready is reported at the end, and its next use marks it', async () => {
    plan(refusedTag(4, 'ServerException', 500), refusedTag(1, 'AccessDeniedException', 400));
    const machine = environment.hosts({ keyDirectory });
    await machine.create({ name: 'unmarked' });
    await expect(machine.close()).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('host unmarked could not be marked as ready'),
      hint: expect.stringContaining('mngr-fargate exec unmarked -- true'),
    });
    await expect(hosts.get('unmarked')).resolves.toMatchObject({ ready: false });
    await hosts.exec('unmarked', ['true']);
    await until(async () => (await hosts.get('unmarked')).ready);
  });

  test('a host that ECS refuses to mark is stopped', async () => {
    plan(refusedTag(1, 'AccessDeniedException', 400));
    await expect(hosts.create({ name: 'denied' })).rejects.toMatchObject({ code: 'denied' });
    await expectNothingLeft();
  });

  test('a failing StopTask is repeated until it is accepted', async () => {
    plan(
      { kind: 'wrong-proof' },
      {
        kind: 'error',
        times: 6,
        operation: 'ecs:StopTask',
        code: 'ServerException',
        message: 'no',
        status: 500,
        afterwards: false,
      },
    );
    await expect(hosts.create({ name: 'stubborn' })).rejects.toMatchObject({ code: 'unverified-host-key' });
    await expectNothingLeft();
  });

  test.each<CreateStep>(['keys', 'run-task', 'address', 'ssh', 'setup'])(
    'Ctrl-C at step %s: nothing is left',
    async (at) => {
      const controller = new AbortController();
      const create = hosts.create(
        { name: 'interrupted', command: ['sleep', '100'] },
        { signal: controller.signal, onProgress: ({ step }) => step === at && controller.abort(new Error('Ctrl-C')) },
      );
      await expect(create).rejects.toMatchObject({ code: 'aborted' });
      await expectNothingLeft();
    },
  );

  test('several machines create one name at once: exactly one host results, each time', async () => {
    for (let round = 0; round < 3; round++) {
      const machines = Array.from({ length: 3 }, () => environment.hosts());
      const outcomes = await Promise.allSettled(machines.map((machine) => machine.create({ name: 'contested' })));
      const created = outcomes.filter(
        (outcome): outcome is PromiseFulfilledResult<Host> => outcome.status === 'fulfilled',
      );
      const refused = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : [],
      );
      expect(created).toHaveLength(1);
      expect(refused).toEqual(['already-exists', 'already-exists']);
      expect(await environment.running()).toHaveLength(1);
      await hosts.destroy('contested');
      await untilNothingRuns();
    }
  });

  test('another machine at a known address is not spoken to', async () => {
    const host = await hosts.create({ name: 'moved' });
    const other = Buffer.from(generateKeyPair('x').publicKey.split(' ')[1] as string, 'base64');
    const file = host.knownHostsFile as string;
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\S+\n$/, `${other.toString('base64')}\n`));
    const later = environment.hosts({ keyDirectory });
    await expect(later.exec('moved', ['true'])).rejects.toMatchObject({ code: 'unverified-host-key' });
  });

  /** A launcher in a process of its own that kills itself; resolves when it is dead. */
  const launchAndDie = async (
    fate: Pick<LauncherSettings, 'dieAfter' | 'dieAt'>,
    request: LauncherSettings['request'],
  ): Promise<void> => {
    const settings: LauncherSettings = {
      config: environment.config,
      keyDirectory,
      endpoint: environment.local.endpoint,
      credentials: environment.local.credentials,
      request,
      ...fate,
    };
    const launcher = join(ROOT, 'test/support/host/hosts-launcher.ts');
    const child = spawn(join(ROOT, 'node_modules/.bin/tsx'), [launcher, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH },
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await once(child, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) });
    expect(printed).toBe('');
  };

  test.each(['DescribeTaskDefinition', 'ListTasks'])(
    'SIGKILL after %s: nothing was started',
    async (dieAfter) => {
      await launchAndDie({ dieAfter }, { name: 'unborn' });
      expect(calls('RunTask')).toBe(0);
      expect(await environment.running()).toEqual([]);
    },
    LONG,
  );

  test.each(['RunTask', 'DescribeTasks', 'DescribeNetworkInterfaces'])(
    'SIGKILL after %s: the host ends itself when its boot lease is over',
    async (dieAfter) => {
      // A name of its own: one that was used before would be looked up with the same calls before it is launched.
      const name = `orphan-${dieAfter}`;
      await launchAndDie({ dieAfter }, { name, bootLeaseSeconds: 3 });
      await untilNothingRuns();
      expect(calls('StopTask')).toBe(0);
      const stopped = (await hosts.list({ stopped: true })).find((host) => host.name === name);
      expect(stopped).toMatchObject({ exitCode: 75, stopCode: 'EssentialContainerExited' });
    },
    LONG,
  );

  test(
    'SIGKILL after the first login: the host does not look ready, so the reaper ends it unless its next use finishes it',
    async () => {
      await launchAndDie({ dieAt: 'setup' }, { name: 'half', env: { LATE: 'yes' } });
      const half = await hosts.get('half');
      expect(half).toMatchObject({ ready: false, readyAt: null });
      expect(await reaperOn(half, 7200)).toMatchObject({ do: 'stop', reason: 'never-ready' });
      expect(await reaperOn(half, 60)).toEqual({ do: 'keep' });

      await expect(hosts.ensureReady('half')).resolves.toMatchObject({ taskArn: half.taskArn });
      const ready = await until(async () => (await hosts.list()).find((host) => host.ready));
      expect(await reaperOn(ready, 7200)).toEqual({ do: 'keep' });
      const found = await hosts.exec('half', ['sh', '-c', 'test "$LATE" = yes']);
      expect(found).toEqual({ exitCode: 0, signal: null });
    },
    LONG,
  );

  test(
    'SIGKILL after TagResource: the host is ready, and this machine can use it',
    async () => {
      await launchAndDie({ dieAfter: 'TagResource' }, { name: 'whole', env: { LATE: 'yes' } });
      const whole = await hosts.get('whole');
      expect(whole).toMatchObject({ ready: true, readyAt: expect.any(String) });
      expect(await reaperOn(whole, 7200)).toEqual({ do: 'keep' });
      const found = await hosts.exec('whole', ['sh', '-c', 'test "$LATE" = yes']);
      expect(found).toEqual({ exitCode: 0, signal: null });
    },
    LONG,
  );

  /** What the reaper would do about the host so many seconds after its start. */
  const reaperOn = async (host: Host, seconds: number): Promise<Verdict> => {
    const client = new ECSClient(environment.local.client);
    const { ecs_cluster: cluster, task_definition: family } = environment.config;
    const { tasks: [task] = [] } = await client.send(
      new DescribeTasksCommand({ cluster, tasks: [host.taskArn], include: ['TAGS'] }),
    );
    client.destroy();
    return judge(factsOf(task as Task), defaultRules(familyOf(family)), Date.now() + seconds * 1000);
  };

  test('Ctrl-C between two attempts at RunTask, the first of which took effect unheard: the task is found and stopped', async () => {
    const error = { kind: 'error', operation: 'ecs:RunTask', status: 400, message: 'no answer' } as const;
    plan(
      { ...error, times: 1, code: 'ServerException', status: 500, afterwards: true },
      { ...error, code: 'ThrottlingException', afterwards: false },
    );
    const controller = new AbortController();
    const create = hosts.create({ name: 'unheard' }, { signal: controller.signal });
    create.catch(() => undefined);
    await until(() => Promise.resolve(calls('RunTask') > 1));
    controller.abort();
    await expect(create).rejects.toMatchObject({ code: 'aborted' });
    expect(calls('StopTask')).toBeGreaterThan(0);
    await expectNothingLeft();
  });

  test('an intruder that has left before the first knock does no harm', async () => {
    // While ECS doesn't show the task yet, nobody knows where to knock.
    environment.local.control.tasks.consistency.describeTasks = 1500;
    environment.local.control.delays.set({ pull: 200 });
    plan({ kind: 'intruder', mode: 'before' });
    await expect(hosts.create({ name: 'patient' })).resolves.toMatchObject({ ready: true });
  });

  test('the second host with a name is stopped before it has booted', async () => {
    const { control } = environment.local;
    control.delays.set({ pull: 120_000 });
    const startedBy = startedByOf('fargate', 'twin');
    const [elder = ''] = control.seed({ count: 1, startedBy, tags: { [HOST_TAGS.provider]: 'fargate' } }).taskArns;
    // The other machine's task shows in ListTasks only after this launcher has looked for the first time.
    control.tasks.consistency.listTasks = 600_000;
    const create = hosts.create(
      { name: 'twin' },
      {
        onProgress: ({ step }) => {
          if (step === 'run-task') control.tasks.consistency.listTasks = 0;
        },
      },
    );
    await expect(create).rejects.toMatchObject({ code: 'already-exists', details: { taskArn: elder } });
    control.removeSeeded();
    await expectNothingLeft();
  });

  test('a dozen hosts at once share their calls', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
    const created = await Promise.all(names.map((name) => hosts.create({ name })));
    expect(created.every(({ ready }) => ready)).toBe(true);
    expect(calls('RunTask')).toBe(12);
    expect(calls('DescribeTaskDefinition')).toBe(1);
    expect(await hosts.destroyAll()).toEqual(names.map(() => expect.objectContaining({ wasRunning: true })));
  });
});

describeWith([smallFileSystem, program('sshd')], 'a full disk', () => {
  test('fails a create before anything is started', async () => {
    const environment = await startHostsEnvironment();
    try {
      await withSmallFileSystem(async (disk) => {
        writeFileSync(join(disk, 'filler'), Buffer.alloc(64 * 1024));
        const filler = join(disk, 'more');
        for (let size = 0; ; size += 4096) {
          try {
            writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' });
          } catch {
            break;
          }
        }
        const hosts = environment.hosts({ keyDirectory: join(disk, 'keys') });
        await expect(hosts.create({ name: 'full' })).rejects.toMatchObject({
          code: 'failed',
          hint: expect.stringContaining('disk space'),
        });
        expect(recordsIn(join(disk, 'keys'))).toEqual([]);
        expect(environment.local.control.callLog.list().map(({ operation }) => operation)).not.toContain('RunTask');
        await hosts.close();
      });
    } finally {
      await environment.close();
    }
  });
});
