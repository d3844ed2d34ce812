import { existsSync, readFileSync } from 'node:fs';
import { deliver } from '../../../lib/hosts/agents/delivery';
import { AgentPane } from '../../../lib/hosts/agents/pane';
import type { RunScript } from '../../../lib/hosts/agents/pane';
import { PART } from '../../../lib/hosts/agents/pane-scripts';
import { eventually } from '../../support/run/eventually';
import { TmuxHost } from '../../support/agents/tmux-host';
import { describeWith, program } from '../../support/run/requirements';

describeWith(program('tmux'), 'a message to a program in tmux', () => {
  let host: TmuxHost;
  beforeAll(async () => {
    host = await TmuxHost.start();
  });
  afterAll(() => host.stop());

  const refusal = (name: string, text: string, waitMs = 300): Promise<unknown> =>
    host.message(name, text, waitMs).catch((error: unknown) => error);

  test('a program that reads lines gets each message as its own lines', async () => {
    await host.create('lines', ['sh', '-c', 'while read -r line; do echo "<$line>" >> got; done']);
    await host.message('lines', 'one `id` $(id)\ntwo');
    await host.message('lines', 'three');
    // The program has read the last line when the message returns, but may still be writing it.
    const got = (): string => readFileSync(`${host.folder}/projects/lines/got`, 'utf8');
    await eventually(async () => expect(got()).toBe('<one `id` $(id)>\n<two>\n<three>\n'));
  });

  test('a program that reads keys has it all when the message has returned', async () => {
    await host.create('keys', ['sh', '-c', 'stty raw -echo; echo ready; dd bs=1 count=9 of=got 2>/dev/null; cat']);
    await host.shows('keys', 'ready');
    await host.message('keys', 'one\ntwo\n');
    await eventually(async () => expect(readFileSync(`${host.folder}/projects/keys/got`, 'utf8')).toBe('one\ntwo\n\r'));
  });

  test('a prompt with bracketed paste takes several lines as one text', async () => {
    await host.create('python', ['python3', '-q']);
    await host.message('python', 'print(6*7)');
    await host.shows('python', /^42$/m);
  });

  test('a program that has not got to its terminal yet is waited for', async () => {
    const script = 'sleep 1.5; stty raw -echo; dd bs=1 count=6 of=got 2>/dev/null; cat';
    await host.create('slow', ['sh', '-c', script]);
    await host.message('slow', 'hello');
    // A text that had been typed before would have arrived with a line feed.
    await eventually(async () => expect(readFileSync(`${host.folder}/projects/slow/got`, 'utf8')).toBe('hello\r'));
  });

  test('copy mode is left, and no text is lost in it', async () => {
    await host.create('copy', ['cat']);
    await host.message('copy', 'first');
    await host.tmux(['copy-mode', '-t', '=mngr-copy:']);
    await host.message('copy', 'second');
    await host.shows('copy', /second\nsecond/);
  });

  test('another window of the session, or another pane, is not the agent', async () => {
    await host.create('panes', ['cat']);
    await host.tmux(['new-window', '-t', '=mngr-panes:', 'sh']);
    await host.tmux(['split-window', '-t', '=mngr-panes:', 'sh']);
    await host.message('panes', 'for the agent');
    await host.shows('panes', /for the agent\nfor the agent/);
  });

  test('a shell that is left runs nothing', async () => {
    await host.create('ended', ['sh', '-c', 'exit 3']);
    await host.shows('ended', 'sh ended with 3');
    expect(await refusal('ended', `touch ${host.folder}/bad`)).toMatchObject({
      code: 'agent-not-ready',
      message: expect.stringContaining('the agent has ended with exit code 3') as string,
      details: { reason: 'shell', screen: expect.arrayContaining(['[sh ended with 3]']) as string[] },
    });
    await expect(host.press('ended', 'Enter')).rejects.toMatchObject({ details: { reason: 'shell' } });
    await host.press('ended', 'C-c');
    expect(existsSync(`${host.folder}/bad`)).toBe(false);
  });

  test('what an agent leaves unread when it ends is not run by the shell after it', async () => {
    await host.create('left', ['sh', '-c', 'stty raw -echo; echo ready; head -c 1 > /dev/null; sleep 1']);
    await host.shows('left', 'ready');
    await host.tmux(['send-keys', '-t', '=mngr-left:', 'xtouch bad', 'Enter']);
    await host.shows('left', 'sh ended with 0');
    await host.shows('left', /[$#]$/);
    expect(existsSync(`${host.folder}/projects/left/bad`)).toBe(false);
  });

  test('a shell above the agent runs nothing either, but one that is the agent does', async () => {
    await host.create('wrapped', ['sh', '-c', 'true; bash; true']);
    await host.shows('wrapped', /[$#]$/);
    expect(await refusal('wrapped', 'touch bad')).toMatchObject({ details: { reason: 'shell' } });

    await host.create('shell', ['bash']);
    await host.message('shell', 'echo $((6*7))');
    await host.shows('shell', /^42$/m);
  });

  test('a session that mngr or a person has made', async () => {
    await host.tmux(['new-session', '-d', '-s', 'mngr-theirs', '-x', '80', '-y', '20', 'bash']);
    await host.shows('theirs', /[$#]$/);
    expect(await refusal('theirs', 'touch bad')).toMatchObject({ details: { reason: 'shell' } });
    await host.tmux(['send-keys', '-t', '=mngr-theirs:', 'cat', 'Enter']);
    await host.message('theirs', 'hello');
    await host.shows('theirs', /hello\nhello/);
  });

  test('a question for a password, a program that reads nothing, and one that is suspended', async () => {
    await host.create('secret', ['bash', '-c', 'read -rsp Password: x']);
    await host.shows('secret', 'Password:');
    expect(await refusal('secret', 'x')).toMatchObject({ details: { reason: 'secret', screen: ['Password:'] } });

    await host.create('deaf', ['sleep', '1000']);
    await eventually(async () =>
      expect(await refusal('deaf', 'x')).toMatchObject({ details: { reason: 'no-reader' } }),
    );
  });

  test('a line that the terminal would cut', async () => {
    await host.create('long', ['cat']);
    await expect(host.message('long', `short\n${'ü'.repeat(2048)}`)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('line 2 of the text is too long') as string,
    });
    await host.message('long', 'x'.repeat(4095));
    await host.shows('long', 'xxx');
  });

  test('a dialog of any program', async () => {
    const screen = 'Do you want to proceed?\\n \\342\\235\\257 1. Yes\\n   2. No\\n\\n Esc to cancel\\n';
    await host.create('dialog', [
      'sh',
      '-c',
      `printf "${screen}"; stty raw -echo; dd bs=1 count=1 of=got 2>/dev/null; cat`,
    ]);
    await host.shows('dialog', 'Esc to cancel');
    expect(await refusal('dialog', 'no, stop')).toMatchObject({
      code: 'agent-not-ready',
      details: { reason: 'dialog', screen: expect.arrayContaining([' ❯ 1. Yes']) as string[] },
    });
    await host.press('dialog', 'Escape');
    await eventually(async () => expect(readFileSync(`${host.folder}/projects/dialog/got`, 'utf8')).toBe('\u001b'));
  });

  test('a screen that changes between the look and the text is looked at again', async () => {
    const repaint =
      'n=0; stty raw -echo; while :; do n=$((n+1)); printf "\\r$n "; dd bs=1 count=1 >> got 2>/dev/null; done';
    await host.create('busy', ['sh', '-c', repaint]);
    const { pane, observation } = await host.find('busy');
    let changes = 0;
    // Twice a row that was seen has gone by the time the text would be typed.
    const paste = pane.paste.bind(pane);
    jest.spyOn(pane, 'paste').mockImplementation(async (text, guard) => {
      changes += 1;
      return paste(text, changes <= 2 && guard !== null ? { ...guard, rows: ['a row that has gone'] } : guard);
    });
    await deliver(pane, observation, 'hello', { enter: true, waitMs: 20_000 });
    expect(changes).toBe(3);
    await eventually(async () => expect(readFileSync(`${host.folder}/projects/busy/got`, 'utf8')).toBe('hello\r'));
    const again = await host.find('busy');
    jest.spyOn(again.pane, 'paste').mockResolvedValue({ kind: 'guard-failed' });
    await expect(deliver(again.pane, again.observation, 'lost', { enter: true, waitMs: 300 })).rejects.toMatchObject({
      code: 'agent-not-ready',
      message: expect.stringContaining('its screen kept changing') as string,
    });
  });

  test('processes of a container whose terminal has the same number are not the agent', async () => {
    await host.create('twin', ['cat']);
    const foreign = '    2     1     2     2 Ss+  bash -l\n    3     2     2     2 S+   sleep 1000\n';
    const run: RunScript = async (script, input) => {
      const result = await host.run(script, input);
      return { ...result, stdout: result.stdout.replace(`${PART}\n`, `${PART}\n${foreign}`) };
    };
    const { pane, observation } = await AgentPane.find(run, 'host', 'mngr-twin', false);
    await deliver(pane, observation, 'for the agent', { enter: true, waitMs: 20_000 });
    await host.shows('twin', /for the agent\nfor the agent/);
  });

  test('names of keys', async () => {
    for (const key of ['enter', 'C-', 'Enter;', '', 'touch bad', '-l'])
      await expect(host.press('long', key)).rejects.toMatchObject({ code: 'usage' });
  });
});
