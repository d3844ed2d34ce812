import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateStep, Host, Hosts } from '../../lib/hosts';
import { generateKeyPair } from '../../lib/ssh';
import type { Fault } from '../../lib/local/control/faults';
import { smallFileSystem, withSmallFileSystem } from '../support/hosts-disk';
import { startHostsEnvironment } from '../support/hosts-environment';
import type { HostsEnvironment } from '../support/hosts-environment';
import type { LauncherSettings } from '../support/hosts-launcher';
import { describeWith, program } from '../support/requirements';

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
    while ((await live()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
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
        ...{ kind: 'error', operation: 'ecs:RunTask', code: 'ClientException', status: 400, afterwards: false },
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
    await expect(hosts.create({ name: 'faulty' })).rejects.toMatchObject(expected);
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

  test('throttling of every call delays a create and no more', async () => {
    const operations = ['RunTask', 'DescribeTasks', 'ListTasks', 'TagResource', 'DescribeTaskDefinition'];
    plan(
      ...operations.map((name): Fault => ({
        ...{ kind: 'error', times: 6, operation: `ecs:${name}`, code: 'ThrottlingException' },
        ...{ message: 'Rate exceeded', status: 400, afterwards: false },
      })),
    );
    await expect(hosts.create({ name: 'throttled' })).resolves.toMatchObject({ ready: true });
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

  test.each(['DescribeTaskDefinition', 'ListTasks', 'RunTask', 'DescribeTasks', 'DescribeNetworkInterfaces'])(
    'SIGKILL after %s: nothing runs once the boot lease is over',
    async (dieAfter) => {
      const settings: LauncherSettings = {
        config: environment.config,
        keyDirectory,
        endpoint: environment.local.endpoint,
        credentials: environment.local.credentials,
        request: { name: 'orphan', bootLeaseSeconds: 3 },
        dieAfter,
      };
      // Long enough for the launcher to die before the first login, which would end the lease.
      environment.local.control.delays.set({ pull: 300 });
      const launcher = join(__dirname, '../support/hosts-launcher.ts');
      const child = spawn(join(__dirname, '../../node_modules/.bin/tsx'), [launcher, JSON.stringify(settings)], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { PATH: process.env.PATH },
      });
      let printed = '';
      child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      await once(child, 'close');
      expect(printed).toBe('');
      await untilNothingRuns();
      expect(calls('StopTask')).toBe(0);
    },
  );

  test('a dozen hosts at once share their calls', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
    const created = await Promise.all(names.map((name) => hosts.create({ name })));
    expect(created.every(({ ready }) => ready)).toBe(true);
    expect(calls('RunTask')).toBe(12);
    expect(calls('DescribeTaskDefinition')).toBe(1);
    expect((await hosts.destroyAll()).map(({ wasRunning }) => wasRunning)).toEqual(names.map(() => true));
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
