import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { BOOT_ENVIRONMENT } from '../../../lib/contract/boot-variables';
import type {
  ExecRequest,
  PreparedImage,
  TaskProcess,
  TaskRuntime,
  TaskSpec,
} from '../../../lib/local/runtimes/runtime';
import { ImageUnavailableError, TaskNotRunningError } from '../../../lib/local/runtimes/runtime';
import { until } from '../run/eventually';
import { identificationAt, loginAndRun, testKey } from './runtime-ssh';

export interface RuntimeUnderTest {
  /** Makes the runtime as an endpoint process does at its start; called again for a restart of the endpoint. */
  readonly create: (stateDirectory: string, endpointId: string) => Promise<TaskRuntime>;
  /** Whatever of the endpoint's tasks still runs: pids or ids of containers. */
  readonly leftovers: (stateDirectory: string, endpointId: string) => string[];
  /** True when tasks see `/` as their own. */
  readonly ownRoot: boolean;
}

/** The image that the suites run: test/support/runtime-image. */
export const RUNTIME_IMAGE = join(__dirname, 'runtime-image');

const never = new AbortController().signal;

/** What an endpoint may expect of every TaskRuntime. Call it inside a describe. */
export function itKeepsTheRuntimeContract(underTest: RuntimeUnderTest): void {
  const endpointId = `test-${randomBytes(6).toString('hex')}`;
  const key = testKey();
  let stateDirectory: string;
  let runtime: TaskRuntime;
  let image: PreparedImage;

  beforeAll(async () => {
    stateDirectory = mkdtempSync(join(tmpdir(), 'mngr-fargate-runtime-'));
    runtime = await underTest.create(stateDirectory, endpointId);
    image = await runtime.prepare({ type: 'folder', path: RUNTIME_IMAGE });
  }, 600_000);

  afterAll(async () => {
    await runtime.removeAll();
    rmSync(stateDirectory, { recursive: true, force: true });
  }, 120_000);

  const spec = async (changes: Partial<TaskSpec> = {}): Promise<TaskSpec> => {
    const taskId = randomBytes(16).toString('hex');
    return {
      taskId,
      image,
      address: await runtime.reserveAddress(taskId),
      environment: {},
      cpu: 256,
      memory: 512,
      initProcess: false,
      containerName: 'agent',
      ...changes,
    };
  };

  const started = async (changes: Partial<TaskSpec> = {}): Promise<TaskSpec> => {
    const task = await spec(changes);
    await runtime.start(task);
    return task;
  };

  /** A task that is nothing but a shell script. */
  const shell = (script: string, changes: Partial<TaskSpec> = {}): Promise<TaskSpec> =>
    started({ entryPoint: ['/bin/sh', '-c'], command: [script], ...changes });

  const messages = async (taskId: string): Promise<string[]> =>
    (await runtime.readLogs(taskId, 0)).lines.map((line) => line.message);

  const logged = async (taskId: string, text: string): Promise<void> => {
    await until(async () => (await messages(taskId)).includes(text));
  };

  const sshd = async (changes: Partial<TaskSpec> = {}): Promise<{ task: TaskSpec; nonce: string }> => {
    const nonce = randomBytes(32).toString('hex');
    const environment = { [BOOT_ENVIRONMENT.sshPublicKey]: key.publicKey, [BOOT_ENVIRONMENT.bootNonce]: nonce };
    return { task: await started({ ...changes, environment }), nonce };
  };

  it('lets the launcher log in to the image over SSH once its host key has proved itself', async () => {
    const { task, nonce } = await sshd({ initProcess: true });
    const seen = await loginAndRun(task.address, key, nonce, 'echo "$MNGR_HOST_DIR"; id -u; exit 7');
    expect(seen.code).toBe(7);
    expect(seen.output).toMatch(underTest.ownRoot ? /^\/mngr\n0\n$/ : /\/mngr\n0\n$/);
    await runtime.stop(task.taskId, 10);
    expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: expect.any(Number), oomKilled: false });
    await expect(identificationAt(task.address, 0)).rejects.toThrow('no sshd answered');
  });

  it("gives a task its own environment and nothing of the endpoint's", async () => {
    process.env.MNGR_TEST_SECRET = 'leak';
    try {
      const environment = { GREETING: "it's “quoted” $HOME\nand two lines", place: 'lower case', BASH_ENV: '/nowhere' };
      const task = await started({ environment, entryPoint: ['/usr/bin/env'], command: ['-0'] });
      expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: 0, oomKilled: false });
      const text = (await messages(task.taskId)).join('\n');
      expect(text).not.toContain('MNGR_TEST_SECRET');
      for (const name of ['AWS_ENDPOINT_URL', 'npm_', 'JEST_WORKER_ID', 'NODE_ENV']) expect(text).not.toContain(name);
      const printed = await shell('printf "%s|" "$GREETING" "$place" "$BASH_ENV"', { environment });
      await runtime.wait(printed.taskId, never);
      expect((await messages(printed.taskId)).join('\n')).toBe(`${environment.GREETING}|lower case|/nowhere|`);
    } finally {
      delete process.env.MNGR_TEST_SECRET;
    }
  });

  it.each([0, 3, 75, 255])('reports exit code %i', async (code) => {
    const task = await shell(`exit ${code}`);
    expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: code, oomKilled: false });
  });

  it("hands the command to the image's entry point where none is given", async () => {
    const task = await started({ command: ['sh', '-c', 'echo "got $# of $1"', 'name', 'an argument'] });
    await runtime.wait(task.taskId, never);
    expect(await messages(task.taskId)).toEqual(['got 1 of an argument']);
  });

  it('starts in the working directory, made where it is missing', async () => {
    const task = await shell('pwd', { workingDirectory: '/srv/made/for/this' });
    await runtime.wait(task.taskId, never);
    expect((await messages(task.taskId)).join()).toMatch(/\/srv\/made\/for\/this$/);
  });

  it.each([true, false])(
    'asks a task to end with SIGTERM and gives it time (init process: %s)',
    async (initProcess) => {
      const task = await shell('trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.05; done', {
        initProcess,
      });
      await logged(task.taskId, 'ready');
      await runtime.stop(task.taskId, 20);
      expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: 5, oomKilled: false });
      expect(await messages(task.taskId)).toEqual(['ready', 'bye']);
      await runtime.stop(task.taskId, 20);
    },
  );

  it('asks a task that has only just been started, too', async () => {
    const task = await shell('sleep 600', { initProcess: true });
    await runtime.stop(task.taskId, 30);
    expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: 143, oomKilled: false });
  });

  it('kills a task that ignores SIGTERM once the time is up', async () => {
    const task = await shell('trap "" TERM; echo ready; while :; do sleep 0.05; done');
    await logged(task.taskId, 'ready');
    await runtime.stop(task.taskId, 0.2);
    expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: 137, oomKilled: false });
  });

  it('kills a task at once, with everything it started', async () => {
    const task = await shell('setsid sleep 987 & sleep 986 & echo ready; wait');
    await logged(task.taskId, 'ready');
    await runtime.kill(task.taskId);
    expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: 137, oomKilled: false });
    expect(await runtime.running()).not.toContain(task.taskId);
  });

  it('ends the background processes of a task whose main process ends by itself', async () => {
    const { task, nonce } = await sshd();
    const end = 'setsid sleep 985 < /dev/null > /dev/null 2>&1 & kill -TERM "$(cat "$MNGR_HOST_DIR/pid")"';
    await loginAndRun(task.address, key, nonce, end);
    await runtime.wait(task.taskId, never);
    expect(underTest.leftovers(stateDirectory, endpointId)).toEqual([]);
    await expect(identificationAt(task.address, 0)).rejects.toThrow('no sshd answered');
  });

  it('keeps the times of the log lines and reads on from an offset', async () => {
    const before = Date.now();
    const task = await shell('echo one; echo two >&2; sleep 0.3; echo "three ü"; printf "no newline"; sleep 0.2');
    await logged(task.taskId, 'two');
    const first = await runtime.readLogs(task.taskId, 0);
    await runtime.wait(task.taskId, never);
    const rest = await runtime.readLogs(task.taskId, first.offset);
    const lines = [...first.lines, ...rest.lines];
    expect(lines.map((line) => line.message).sort()).toEqual(['no newline', 'one', 'three ü', 'two']);
    expect(await runtime.readLogs(task.taskId, rest.offset)).toEqual({ lines: [], offset: rest.offset });
    const times = lines.map((line) => line.at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(before - 1000);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it('keeps tasks running across a restart of the endpoint, and knows how they ended', async () => {
    const lasting = await shell('echo ready; trap "exit 9" TERM; while :; do sleep 0.05; done');
    const ending = await shell('sleep 0.5; exit 4');
    await logged(lasting.taskId, 'ready');
    const restarted = await underTest.create(stateDirectory, endpointId);
    expect(await restarted.running()).toContain(lasting.taskId);
    expect(await restarted.wait(ending.taskId, never)).toEqual({ exitCode: 4, oomKilled: false });
    expect(await restarted.reserveAddress(lasting.taskId)).toEqual(lasting.address);
    const other = await restarted.reserveAddress('another-task');
    expect(other).not.toEqual(lasting.address);
    await restarted.releaseAddress(other);
    await restarted.stop(lasting.taskId, 10);
    expect(await restarted.wait(lasting.taskId, never)).toEqual({ exitCode: 9, oomKilled: false });
  });

  it('ends a wait whose signal is aborted and lets the task run on', async () => {
    const task = await shell('sleep 60');
    const abort = new AbortController();
    const waiting = runtime.wait(task.taskId, abort.signal);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(await runtime.running()).toContain(task.taskId);
    await runtime.remove(task.taskId);
    expect(await runtime.running()).not.toContain(task.taskId);
  });

  it('runs twenty tasks at once, each with an address of its own', async () => {
    const tasks = await Promise.all(Array.from({ length: 20 }, () => sshd({ initProcess: true })));
    const addresses = tasks.map(({ task }) => `${task.address.ip}:${task.address.port}`);
    expect(new Set(addresses).size).toBe(20);
    // Each login checks the proof of its own task's nonce.
    const logins = tasks.map(({ task, nonce }) => loginAndRun(task.address, key, nonce, 'echo hello'));
    expect((await Promise.all(logins)).map(({ output }) => output)).toEqual(tasks.map(() => 'hello\n'));
    await Promise.all(tasks.map(({ task }) => runtime.remove(task.taskId)));
    expect(underTest.leftovers(stateDirectory, endpointId)).toEqual([]);
  }, 240_000);

  describe('a process that is started in a running task', () => {
    let task: TaskSpec;

    beforeAll(async () => {
      const environment = { GREETING: 'from the task', SHELL: '/bin/false', BASH_ENV: '/nowhere' };
      task = await shell('echo made by the task > made; echo ready; sleep 600', {
        environment,
        workingDirectory: '/srv/work',
        initProcess: true,
      });
      await logged(task.taskId, 'ready');
    });

    afterAll(() => runtime.remove(task.taskId));

    const exec = (argv: readonly string[], request: Partial<ExecRequest> = {}): Promise<TaskProcess> =>
      runtime.exec(task.taskId, { argv, ...request });

    const run = async (argv: readonly string[], request: Partial<ExecRequest> = {}) => {
      const started = await exec(argv, request);
      const [stdout, stderr] = await Promise.all([started.stdout, started.stderr].map((out) => out && text(out)));
      return { stdout: stdout ?? '', stderr, exitCode: await started.exitCode };
    };

    /** Resolves once the process has printed the text, with everything that it has printed. */
    const printing = (started: TaskProcess): ((wanted: RegExp) => Promise<string>) => {
      let seen = '';
      started.stdout.on('data', (data: Buffer) => (seen += data.toString()));
      return (wanted) => until(() => Promise.resolve(wanted.test(seen) && seen));
    };

    it("runs as root in the task's file system, with its environment and working directory", async () => {
      const script = 'id -u; cat made; echo "$GREETING $SHELL $BASH_ENV $ADDED"; echo wrong >&2; exit 7';
      const environment = { ADDED: 'it\'s "added"' };
      expect(await run(['sh', '-c', script], { environment })).toEqual({
        stdout: '0\nmade by the task\nfrom the task /bin/false /nowhere it\'s "added"\n',
        stderr: 'wrong\n',
        exitCode: 7,
      });
    });

    it('gets its arguments as they are, without a shell', async () => {
      const words = ['$HOME', "it's", '*', 'two\nlines', '', '-n', '\\', '"'];
      const expected = words.map((word) => `<${word}>`).join('');
      expect(await run(['printf', '<%s>', ...words])).toMatchObject({ stdout: expected });
      const { stdout } = await run(['printf', '<%s>', ...words], { terminal: { columns: 80, rows: 24 } });
      expect(stdout.replaceAll('\r\n', '\n')).toBe(expected);
    });

    it('passes bytes on as they are, however many', async () => {
      const data = randomBytes(3 * 1024 * 1024);
      const started = await exec(['cat']);
      const back = buffer(started.stdout);
      started.stdin.end(data);
      expect((await back).equals(data)).toBe(true);
      expect(await started.exitCode).toBe(0);
    });

    it('has a terminal of the size asked for, which can change', async () => {
      const script = `
        test -t 0 && test -t 1 && test -t 2; echo "terminal $? $TERM $SHELL"; stty size
        trap "stty size" WINCH; trap "exit 3" HUP; echo waiting; while :; do sleep 0.05; done`;
      const started = await exec(['sh', '-c', script], { terminal: { columns: 97, rows: 31 } });
      expect(started.stderr).toBeUndefined();
      const printed = printing(started);
      expect(await printed(/waiting/)).toMatch(/terminal 0 xterm \/bin\/false\r\n31 97\r\n/);
      await started.resize({ columns: 132, rows: 43 });
      await printed(/43 132\r\n/);
      await started.kill('SIGHUP');
      expect(await started.exitCode).toBe(3);
    });

    it('takes what is typed, Ctrl-C included', async () => {
      const script = 'trap "echo interrupted; exit 4" INT; while read -r line; do echo "got $line"; done';
      const started = await exec(['sh', '-c', script], { terminal: { columns: 80, rows: 24 } });
      const printed = printing(started);
      started.stdin.write('hello\r');
      await printed(/hello\r\ngot hello/);
      started.stdin.write('\u0003');
      await printed(/interrupted/);
      expect(await started.exitCode).toBe(4);
    });

    it.each<[NodeJS.Signals, number]>([
      ['SIGTERM', 143],
      ['SIGKILL', 137],
    ])('ends with %s, with and without a terminal', async (signal, exitCode) => {
      const sizes = [undefined, { columns: 80, rows: 24 }];
      const started = await Promise.all(sizes.map((terminal) => exec(['sleep', '600'], { terminal })));
      for (const one of started) one.stdout.resume();
      await Promise.all(started.map((one) => one.kill(signal)));
      expect(await Promise.all(started.map((one) => one.exitCode))).toEqual([exitCode, exitCode]);
      await started[0]?.kill(signal);
    });

    it.each([
      ['nosuch', 'executable file not found in $PATH'],
      ['/no/such', 'no such file or directory'],
      ['/etc', 'permission denied'],
      ['/etc/passwd', 'permission denied'],
    ])('is refused for the program %s: %s', async (missing, reason) => {
      await expect(exec([missing])).rejects.toMatchObject({ name: 'CommandNotStartedError', reason });
      const terminal = { columns: 80, rows: 24 };
      await expect(exec([missing], { terminal })).rejects.toMatchObject({ reason });
    });

    it('may also be asked for by a later endpoint', async () => {
      const restarted = await underTest.create(stateDirectory, endpointId);
      const started = await restarted.exec(task.taskId, { argv: ['sh', '-c', 'echo "$GREETING"'] });
      expect(await text(started.stdout)).toBe('from the task\n');
    });

    it('ends with the task, and none can be started after that', async () => {
      const other = await shell('sleep 600');
      const started = await runtime.exec(other.taskId, { argv: ['sleep', '600'] });
      started.stdout.resume();
      await runtime.kill(other.taskId);
      expect(await started.exitCode).toBe(137);
      await expect(runtime.exec(other.taskId, { argv: ['true'] })).rejects.toThrow(TaskNotRunningError);
      await expect(runtime.exec('0'.repeat(32), { argv: ['true'] })).rejects.toThrow(TaskNotRunningError);
    });
  });

  it('refuses an image that it cannot have', async () => {
    await expect(runtime.prepare({ type: 'uri', uri: '127.0.0.1:9/nothing/here:1' })).rejects.toThrow(
      ImageUnavailableError,
    );
    await expect(runtime.prepare({ type: 'folder', path: '/no/such/folder' })).rejects.toThrow(ImageUnavailableError);
  });

  it('leaves no process, container, mount or file after removeAll', async () => {
    const { task } = await sshd();
    await identificationAt(task.address);
    await shell('setsid sleep 984 & sleep 983');
    await runtime.removeAll();
    expect(underTest.leftovers(stateDirectory, endpointId)).toEqual([]);
    expect(readdirSync(stateDirectory)).toEqual([]);
  });
}
