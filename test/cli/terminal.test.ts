import { stripVTControlCharacters } from 'node:util';
import type { Host } from '../../lib/hosts/model/types';
import { CliLocal, START_UP, localHosts } from '../support/cli/cli-local';
import { runInTerminal, terminal } from '../support/cli/cli-terminal';
import type { TerminalStep } from '../support/cli/cli-terminal';
import { describeWith } from '../support/run/requirements';

const ESCAPE = '\u001b';

/** tmux may take two keys that come at once for a paste, so the second is pressed when the first has been read. */
const detachAfter = (shown: string): TerminalStep[] => [
  { expect: shown, send: '\u0002' },
  { expect: 'prefix-was-read', send: 'd' },
];

describeWith([...localHosts, terminal], 'the real program on a real terminal', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
    await local.home.json<Host>(['create', 'fox', '--', 'sh', '-c', 'echo agent-is-here; exec cat']);
    const shown = ['set-option', '-g', 'status-right', '#{?client_prefix,prefix-was-read,}'];
    await local.home.run(['exec', 'fox', '--', 'tmux', ...shown]);
  }, START_UP);
  afterAll(() => local.stop());

  const running = async (name: string): Promise<Host[]> =>
    (await local.home.json<Host[]>(['list'])).filter((host) => host.name === name && host.state !== 'DEPROVISIONING');

  test('create shows a spinner with ECS states and times, then the result', async () => {
    const { output, exitCode } = await runInTerminal(local.home, ['create', 'owl'], []);
    expect(exitCode).toBe(0);
    const text = stripVTControlCharacters(output);
    expect(text).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] owl .*\d\.\ds/);
    expect(text).toMatch(/(?:PROVISIONING|PENDING|RUNNING), /);
    expect(text).toMatch(/✓ owl {2}RUNNING, ready {2}\d+\.\ds/);
    expect(text).toContain('connect with: mngr-fargate connect owl');
    expect(output.lastIndexOf(`${ESCAPE}[?25h`)).toBeGreaterThan(output.lastIndexOf(`${ESCAPE}[?25l`));
  });

  test('NO_COLOR and TERM=dumb are honoured', async () => {
    const plain = await runInTerminal(local.home, ['list'], [], { NO_COLOR: '1' });
    expect(plain.output).not.toContain(ESCAPE);
    const coloured = await runInTerminal(local.home, ['list'], []);
    expect(coloured.output).toContain(`${ESCAPE}[32mRUNNING`);
  });

  test('Ctrl-C while creating stops the task and says so', async () => {
    await local.control('PUT', 'delays', { pending: 60_000 });
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['create', 'gnu'],
      [{ expect: 'gnu .*(?:PROVISIONING|PENDING)', send: '\u0003' }],
    );
    await local.control('PUT', 'delays', {});
    expect(exitCode).toBe(130);
    expect(output).toContain('stopping what was started');
    await expect(running('gnu')).resolves.toEqual([]);
  });

  test('connect attaches to the agent, and detaching ends it', async () => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['connect', 'fox'],
      [{ expect: 'agent-is-here', send: 'typed by hand\r' }, ...detachAfter('typed by hand.*typed by hand')],
    );
    expect(stripVTControlCharacters(output)).toContain('[detached (from session mngr-fox)]');
    expect(exitCode).toBe(0);
  });

  test('connect opens a shell where no agent runs, and ends with its exit code', async () => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['connect', 'owl'],
      [{ expect: '[#$] ', send: 'echo host is "$MNGR_HOST_DIR"; exit 7\r' }],
    );
    expect(exitCode).toBe(7);
    expect(output).toMatch(/host is \/\S*mngr/);
  });

  test('connect --agent says when there is none', async () => {
    const { output, exitCode } = await runInTerminal(local.home, ['connect', 'owl', '--agent', 'nobody'], []);
    expect(output).toContain('no agent session mngr-nobody on this host');
    expect(exitCode).toBe(3);
  });

  test.each(['xterm-ghostty', 'xterm-kitty', 'wezterm', 'no-such-terminal'])(
    'the terminal %s, which a host does not know',
    async (TERM) => {
      const detach = detachAfter('agent-is-here');
      for (const words of [['fox'], ['fox', '--agent', 'fox']]) {
        const attached = await runInTerminal(local.home, ['connect', ...words], detach, { TERM });
        expect(stripVTControlCharacters(attached.output)).toContain('[detached (from session mngr-fox)]');
      }
      const command = ['connect', 'owl', '--', 'sh', '-c', 'tput cols && echo "on $TERM"'];
      const { output } = await runInTerminal(local.home, command, [], { TERM });
      expect(output).toMatch(/\d+\r?\non \S+/);
    },
  );

  test('a command on a terminal of the host', async () => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['connect', 'owl', '--', 'sh', '-c', 'tty && exit 5'],
      [],
    );
    expect(output).toMatch(/\/dev\/pts\/\d+/);
    expect(exitCode).toBe(5);
  });

  test('exec --tty gives a command a terminal of this size, its keys, and its variables', async () => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['exec', 'owl', '--tty', '--env', 'NAME=value', '--', 'sh', '-c', 'stty size; echo "<$NAME>"; cat; exit 6'],
      [
        { expect: '40 120.*<value>', send: 'typed\r' },
        { expect: 'typed.*typed', send: '\u0004' },
      ],
    );
    expect(output).toMatch(/40 120\r+\n<value>/);
    expect(exitCode).toBe(6);
    const piped = ['exec', 'owl', '--tty', '--', 'sh', '-c', 'tty && cat; exit 5'];
    const { stdout, exitCode: pipedExit } = await local.home.run(piped, { input: 'one\ntwo' });
    expect(stdout).toMatch(/\/dev\/pts\/\d+[\s\S]*one\r\ntwo/);
    expect(pipedExit).toBe(5);
  });

  test("shell without a target starts a task in the hosts' image", async () => {
    const { stdout, stderr, exitCode } = await local.home.run(['shell', '--', 'sh', '-c', 'echo here; exit 4']);
    expect({ stdout, exitCode }).toEqual({ stdout: 'here\n', exitCode: 4 });
    expect(stderr).toContain('started arn:');
  });

  test.each([
    ['no', 'n\r'],
    ['nothing', '\r'],
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('destroy asks, and %s destroys nothing', async (_answer, send) => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['destroy', 'owl'],
      [{ expect: String.raw`\[y/N\] `, send }],
    );
    expect(output).toContain('stop 1 host and delete everything on it (owl)? [y/N]');
    expect(output).toContain('nothing was destroyed');
    expect(exitCode).toBe(1);
    await expect(running('owl')).resolves.toHaveLength(1);
  });

  test('destroy asks, and yes destroys', async () => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['destroy', '--all'],
      [{ expect: String.raw`\[y/N\] `, send: 'y\r' }],
    );
    expect(output).toContain('stop 2 hosts and delete everything on them');
    expect(exitCode).toBe(0);
    await expect(local.home.json(['list'])).resolves.toEqual([]);
  });

  test('list --watch redraws until Ctrl-C, without a word', async () => {
    const { output, exitCode } = await runInTerminal(
      local.home,
      ['list', '--watch', '--interval', '1s'],
      [{ expect: 'no hosts.*no hosts', send: '\u0003' }],
    );
    expect(output).toContain(`${ESCAPE}[H${ESCAPE}[J`);
    expect(output).not.toContain('mngr-fargate:');
    expect(exitCode).toBe(130);
  });
});
