import { createHash, randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { WrappedCommand } from '../../../lib/tasks/exec/wrapped-command';
import type { WrappedCommandOptions, WrappedExit } from '../../../lib/tasks/exec/wrapped-command';
import { ImageTools, programPath } from '../../support/tasks/image-tools';
import { ptyTerminal } from '../../support/tasks/pty-terminal';
import { until } from '../../support/run/eventually';
import { isRunning } from '../../support/run/running';

const USUAL = ['stty', 'base64', 'dd', 'setsid', 'sleep', 'cat', 'head', 'kill', 'true', 'printf', 'env'];

class Bytes extends Writable {
  readonly pieces: Buffer[] = [];

  override _write(piece: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.pieces.push(piece);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

type Run = Partial<WrappedCommandOptions> & { readonly command: readonly string[] };

interface Outcome extends WrappedExit {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs the command on a real terminal, with the words that the agent would split the command line into. */
async function run(image: ImageTools, options: Run): Promise<Outcome> {
  const stdout = new Bytes();
  const stderr = new Bytes();
  const wrapped = new WrappedCommand({ stdout, stderr, ...options });
  const terminal = ptyTerminal(['sh', '-c', wrapped.commandLine()], image.environment);
  try {
    return { ...(await wrapped.run(terminal)), stdout: stdout.bytes, stderr: stderr.bytes };
  } finally {
    await terminal.close();
  }
}

const script = (text: string): string[] => ['sh', '-c', text];
const shells = ['dash', 'bash', 'busybox'].filter((name) => programPath(name) !== undefined);

describe.each(shells)('a command in a container whose sh is %s', (shell) => {
  let image: ImageTools;
  beforeAll(() => {
    image = new ImageTools(shell, USUAL);
  });
  afterAll(() => image[Symbol.dispose]());

  it('has its own exit code, and its stdout and stderr apart', async () => {
    const result = await run(image, { command: script('echo out; echo err >&2; exit 3') });
    expect(result).toMatchObject({ exitCode: 3, signal: null, outputHeld: false });
    expect([result.stdout.toString(), result.stderr.toString()]).toEqual(['out\n', 'err\n']);
  });

  it('gets its arguments as they are', async () => {
    const words = ['', "it's", 'a b', '$HOME', '*', 'ü\n\t"\\', '-n', '--'];
    const { stdout } = await run(image, { command: ['printf', '[%s]', ...words] });
    expect(stdout.toString()).toBe(words.map((word) => `[${word}]`).join(''));
  });

  it('passes on every byte of its input and of both outputs', async () => {
    const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(90_001)]);
    const stdin = Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]);
    const { stdout, exitCode } = await run(image, { command: ['cat'], stdin });
    expect(exitCode).toBe(0);
    expect(hash(stdout)).toBe(hash(bytes));
    const { stderr } = await run(image, { command: script('cat >&2'), stdin: Readable.from([bytes]) });
    expect(hash(stderr)).toBe(hash(bytes));
  });

  it('gets end of file without input, and ends when it reads only some of it', async () => {
    expect((await run(image, { command: ['cat'] })).exitCode).toBe(0);
    const stdin = Readable.from(endless());
    const { stdout, exitCode } = await run(image, { command: ['head', '-c', '5'], stdin });
    expect([stdout.toString(), exitCode]).toEqual(['aaaaa', 0]);
  });

  it('gets variables and a folder', async () => {
    const env = { GREETING: "it's $HOME\nü\\", EMPTY: '' };
    const command = script('printf "%s|%s|" "$GREETING" "${EMPTY-unset}"; pwd');
    const { stdout } = await run(image, { command, env, workingDirectory: '/usr' });
    expect(stdout.toString()).toBe(`${env.GREETING}||/usr\n`);
  });

  it('says what kept it from starting as a shell does', async () => {
    const missing = await run(image, { command: ['no-such-program'] });
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr.toString()).toContain('no-such-program');
    const folder = await run(image, { command: ['true'], workingDirectory: '/no/such' });
    expect(folder.exitCode).toBe(126);
    expect(folder.stderr.toString()).toContain('/no/such');
  });

  it('is killed with its whole process group when its time is up', async () => {
    const stdout = new Bytes();
    const command = script('trap "" TERM; sleep 1000 & echo $!; sleep 1001');
    await expect(run(image, { command, stdout, timeout: 1500 })).rejects.toMatchObject({ code: 'timed-out' });
    const child = Number(stdout.bytes.toString());
    await until(() => Promise.resolve(!isRunning(child)), 15_000);
  });

  it('is killed when the session ends', async () => {
    const stdout = new Bytes();
    const wrapped = new WrappedCommand({ command: script('echo $$; sleep 1000'), stdout, stderr: new Bytes() });
    const terminal = ptyTerminal(['sh', '-c', wrapped.commandLine()], image.environment);
    const ended = expect(wrapped.run(terminal)).rejects.toMatchObject({ code: 'unreachable' });
    const child = await until(() => Promise.resolve(Number(stdout.bytes.toString())), 15_000);
    await terminal.close();
    await ended;
    await until(() => Promise.resolve(!isRunning(child)), 15_000);
  });

  it('may leave a process running that keeps its output', async () => {
    const { exitCode, stdout, outputHeld } = await run(image, { command: script('sleep 20 & echo $!; exit 4') });
    expect([exitCode, outputHeld]).toEqual([4, true]);
    process.kill(Number(stdout.toString()));
  });
});

describe('the signal that ended a command', () => {
  it.each(shells.filter((name) => name !== 'bash'))('is told from an exit code by %s', async (shell) => {
    using image = new ImageTools(shell, USUAL);
    expect(await run(image, { command: script('kill -9 $$') })).toMatchObject({ exitCode: null, signal: 'KILL' });
    expect(await run(image, { command: script('exit 137') })).toMatchObject({ exitCode: 137, signal: null });
  });
});

describe('an image with few programs', () => {
  const sets = [
    ['stty and base64', ['stty', 'base64', 'cat']],
    ['stty and od', ['stty', 'od', 'cat']],
    ['stty and hexdump', ['stty', 'hexdump', 'cat']],
    ['od, dd and stty', ['od', 'dd', 'stty', 'cat']],
  ] as const;
  const cases = shells.flatMap((shell) => sets.map(([what, tools]) => ({ shell, what, tools })));

  it.each(cases)('loses no byte with $shell and $what', async ({ shell, tools }) => {
    using image = new ImageTools(shell, tools);
    const bytes = randomBytes(9001);
    const { stdout, exitCode } = await run(image, { command: ['cat'], stdin: Readable.from([bytes]) });
    expect(exitCode).toBe(0);
    expect(hash(stdout)).toBe(hash(bytes));
  });

  it.each([['any encoder', ['stty', 'cat']] as const, ['stty', ['base64', 'cat']] as const])(
    'is refused without %s',
    async (_, tools) => {
      using image = new ImageTools('dash', tools);
      await expect(run(image, { command: ['cat'] })).rejects.toThrow('lacks stty, or all of base64, od and hexdump');
    },
  );

  it('has its processes ended where there is no setsid and no sleep', async () => {
    using image = new ImageTools('dash', ['stty', 'base64', 'dd', 'cat']);
    const stdout = new Bytes();
    const command = script('cat /dev/zero >/dev/null & echo $!; cat /dev/zero >/dev/null');
    await expect(run(image, { command, stdout, timeout: 1000 })).rejects.toMatchObject({ code: 'timed-out' });
    await until(() => Promise.resolve(!isRunning(Number(stdout.bytes.toString()))), 15_000);
  });
});

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(10_000, 'a');
}

/** False for a process that has ended, also while nobody has taken its exit code. */
