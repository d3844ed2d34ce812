import { PassThrough } from 'node:stream';
import { TerminalCommand } from '../../../lib/tasks/exec/terminal-command';
import { isRunning, processesOf } from '../../support/run/running';
import { until } from '../../support/run/eventually';
import { ImageTools, programPath } from '../../support/tasks/image-tools';
import { ptyTerminal } from '../../support/tasks/pty-terminal';

const USUAL = ['stty', 'sleep', 'cat', 'kill', 'printf', 'tty', 'grep'];
const shells = ['dash', 'bash', 'busybox'].filter((name) => programPath(name) !== undefined);

interface Given {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly timeout?: number;
  /** What is typed, each as soon as the text before it is on the screen. */
  readonly typed?: readonly (readonly [shown: string, keys: string])[];
}

interface Outcome {
  readonly exitCode: number;
  readonly screen: string;
}

const script = (text: string): string[] => ['sh', '-c', text];

describe.each(shells)('a command on a terminal in a container whose sh is %s', (shell) => {
  let image: ImageTools;
  let screen = '';
  beforeAll(() => {
    image = new ImageTools(shell, USUAL);
  });
  afterAll(() => image[Symbol.dispose]());

  async function run({ typed = [], ...given }: Given): Promise<Outcome> {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stdout = new PassThrough({ encoding: 'utf8' });
    const steps = [...typed];
    screen = '';
    stdout.on('data', (text: string) => {
      screen += text;
      const [step] = steps;
      if (step !== undefined && screen.includes(step[0])) stdin.write(steps.shift()![1]);
    });
    const command = new TerminalCommand({ stdin, stdout, ...given });
    const terminal = ptyTerminal(['sh', '-c', command.commandLine()], image.environment);
    try {
      return { exitCode: await command.run({ ...terminal, resize: () => undefined }), screen };
    } finally {
      await terminal.close();
    }
  }

  it('has a terminal, its own exit code, and nothing of ours on the screen', async () => {
    const result = await run({ command: script('tty >/dev/null && echo "a terminal"; exit 3') });
    expect(result).toEqual({ exitCode: 3, screen: 'a terminal\r\n' });
  });

  it('gets variables and a folder, whose values nobody sees', async () => {
    const env = { GREETING: "it's $HOME\nü\\", EMPTY: '' };
    const command = script('printf "%s|%s|" "$GREETING" "${EMPTY-unset}"; pwd; stty -a | cat >/dev/null; stty -g');
    const result = await run({ command, env, workingDirectory: '/usr' });
    expect(result.exitCode).toBe(0);
    expect(result.screen).toMatch(new RegExp("^it's \\$HOME\\r\\nü\\\\\\|\\|/usr\\r\\n"));
    // The terminal is as the command would have found it without variables.
    const plain = await run({ command: script('stty -g') });
    expect(result.screen.endsWith(plain.screen)).toBe(true);
  });

  it('gets the keys, Ctrl-C among them, which does not end what reports the exit code', async () => {
    const command = script('trap "echo caught; exit 5" INT; echo ready; while :; do sleep 1; done');
    expect(await run({ command, typed: [['ready', '\x03']] })).toMatchObject({ exitCode: 5 });
    expect(screen).toContain('caught');
    const killed = await run({ command: script('echo ready; sleep 1000'), typed: [['ready', '\x03']] });
    expect(killed.exitCode).toBe(130);
  });

  it('says what kept it from starting as a shell does', async () => {
    const missing = await run({ command: ['no-such-program'] });
    expect(missing.exitCode).toBe(127);
    expect(missing.screen).toContain('no-such-program');
    expect(await run({ command: ['true'], workingDirectory: '/no/such' })).toMatchObject({ exitCode: 126 });
  });

  it('is ended with all that it started on the terminal when its time is up', async () => {
    const command = script('trap "" HUP TERM; sleep 1000 & echo "<$!>"; wait');
    await expect(run({ command, timeout: 1500 })).rejects.toMatchObject({ code: 'timed-out' });
    const child = Number(/<(\d+)>/.exec(screen)?.[1]);
    await until(() => Promise.resolve(!isRunning(child)), 15_000);
  });

  it('leaves no clock behind when it ends before its time', async () => {
    // A number that no other sleep on this machine has.
    const seconds = 1_000_000 + process.pid;
    const clocks = (): Promise<number[]> => Promise.resolve(processesOf('sleep', String(seconds)));
    const hasClock = script(`until grep -qs "sleep.${seconds}" /proc/[0-9]*/cmdline; do sleep 0.1; done; exit 4`);
    expect(await run({ command: hasClock, timeout: seconds * 1000 })).toMatchObject({ exitCode: 4 });
    await until(async () => (await clocks()).length === 0);
  });
});

test('where there is no stty, variables are refused and nothing is run', async () => {
  using image = new ImageTools(shells[0] ?? 'sh', ['touch']);
  const stdout = new PassThrough();
  const options = { stdin: new PassThrough(), stdout, env: { KEY: 'value' } };
  const command = new TerminalCommand({ ...options, command: ['echo', 'run'] });
  const terminal = ptyTerminal(['sh', '-c', command.commandLine()], image.environment);
  await expect(command.run({ ...terminal, resize: () => undefined })).rejects.toMatchObject({
    code: 'failed',
    message: 'the container lacks stty, which --env needs on a terminal, so nothing was run',
  });
  expect(stdout.read()).toBeNull();
  await terminal.close();
});
