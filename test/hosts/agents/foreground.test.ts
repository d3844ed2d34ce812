import * as fc from 'fast-check';
import type { PaneProcess, StartNote } from '../../../lib/hosts/agents/foreground';
import { foregroundOf, isInteractiveShell, isShellCommand } from '../../../lib/hosts/agents/foreground';

const process = (pid: number, parent: number, group: number, text: string, state = 'S+'): PaneProcess => ({
  pid,
  parent,
  group,
  state,
  words: text.split(' '),
});
const SETUP = process(10, 1, 10, 'bash -lc set -a bash claude', 'Ss+');
const RUNNING: StartNote = { isShell: false, exitCode: null };

describe('shells that run what is typed', () => {
  test.each(['bash', '-bash', 'bash -l', '/bin/sh', 'zsh -i', 'bash --rcfile x -i', 'sh -s', 'fish', 'bash -o vi'])(
    '%s does',
    (text) => expect(isInteractiveShell(process(1, 0, 1, text))).toBe(true),
  );
  test.each(['bash -lc x', 'sh script.sh', 'bash -c x', 'python3', 'claude', 'bash /usr/bin/thing'])(
    '%s does not',
    (text) => expect(isInteractiveShell(process(1, 0, 1, text))).toBe(false),
  );
  test.each([
    [['bash'], true],
    [['env', 'X=1', 'zsh', '-l'], true],
    [['sh', '-c', 'claude; bash'], false],
    [['claude'], false],
  ])('the command %j is a shell on purpose: %j', (command, expected) =>
    expect(isShellCommand(command as string[])).toBe(expected),
  );
});

describe('who has the keyboard', () => {
  test('the command, by whatever name', () => {
    const program = process(11, 10, 10, 'python3 -i');
    expect(foregroundOf([SETUP, program], 10, 10, RUNNING)).toEqual({ kind: 'agent', agent: undefined });
  });

  test.each([
    ['claude --resume', 'claude'],
    ['node /opt/agents/bin/codex', 'codex'],
    ['/opt/x/opencode.exe', 'opencode'],
    ['bash /usr/local/bin/claude', undefined],
  ])('%s is the coding agent %j', (text, agent) => {
    expect(foregroundOf([SETUP, process(11, 10, 10, text)], 10, 10, RUNNING)).toEqual({ kind: 'agent', agent });
  });

  test('the shell that is left when the agent has ended', () => {
    const shell = process(10, 1, 10, 'bash -l', 'Ss+');
    expect(foregroundOf([shell], 10, 10, { isShell: false, exitCode: 0 })).toEqual({ kind: 'shell' });
    // A session of mngr, or of an earlier release, says nothing of its command.
    expect(foregroundOf([shell], 10, 10, null)).toEqual({ kind: 'shell' });
    // The agent was a shell, and has ended: what is left is another one.
    expect(foregroundOf([shell], 10, 10, { isShell: true, exitCode: 1 })).toEqual({ kind: 'shell' });
  });

  test('a program that was started in that shell is not the agent, unless it is a coding agent', () => {
    const shell = process(10, 1, 10, 'bash -l', 'Ss');
    const ended: StartNote = { isShell: false, exitCode: 1 };
    expect(foregroundOf([shell, process(20, 10, 20, 'vim x')], 20, 10, ended)).toEqual({
      kind: 'other',
      program: 'vim',
    });
    expect(foregroundOf([shell, process(20, 10, 20, 'python3')], 20, 10, ended).kind).toBe('other');
    expect(foregroundOf([shell, process(20, 10, 20, 'claude')], 20, 10, ended)).toEqual({
      kind: 'agent',
      agent: 'claude',
    });
  });

  test('a shell that the command has opened is not the agent', () => {
    const wrapper = process(11, 10, 10, 'sh -c claude; bash');
    const shell = process(12, 11, 12, 'bash');
    expect(foregroundOf([SETUP, wrapper, shell], 12, 10, RUNNING)).toEqual({ kind: 'shell' });
  });

  test('an agent that is a shell, started on purpose', () => {
    const shell = process(11, 10, 11, 'bash');
    expect(foregroundOf([SETUP, shell], 11, 10, { isShell: true, exitCode: null }).kind).toBe('agent');
    // By a release that didn't note it.
    expect(foregroundOf([SETUP, shell], 11, 10, null).kind).toBe('agent');
    expect(foregroundOf([SETUP, shell], 11, 10, RUNNING)).toEqual({ kind: 'shell' });
  });

  test('pagers, editors and questions for passwords above the agent', () => {
    const claude = process(11, 10, 10, 'claude');
    for (const program of ['less', 'vim', 'sudo', 'ssh']) {
      const above = process(12, 11, 10, `/usr/bin/${program} x`);
      expect(foregroundOf([SETUP, claude, above], 10, 10, RUNNING)).toEqual({ kind: 'other', program });
    }
    // As the command itself it is the agent.
    expect(foregroundOf([SETUP, process(11, 10, 10, 'vim')], 10, 10, RUNNING).kind).toBe('agent');
  });

  test('before the command is there, and while it is suspended', () => {
    expect(foregroundOf([SETUP], 10, 10, RUNNING)).toEqual({ kind: 'starting' });
    expect(foregroundOf([], 10, 10, RUNNING)).toEqual({ kind: 'starting' });
    expect(foregroundOf([SETUP, process(11, 10, 11, 'claude', 'T')], 11, 10, RUNNING)).toEqual({ kind: 'stopped' });
  });

  test('an interactive shell never counts as the agent unless the command is one', () => {
    const shells = fc.constantFrom('bash', '-bash', 'bash -l', 'sh', 'zsh -i', '/bin/dash', 'fish');
    const notes = fc.constantFrom<StartNote | null>(
      RUNNING,
      { isShell: false, exitCode: 0 },
      { isShell: true, exitCode: 0 },
    );
    const above = fc.constantFrom('sh -c x', 'python3 x.py', 'make');
    fc.assert(
      fc.property(shells, notes, above, fc.integer({ min: 0, max: 3 }), (text, note, wrapper, depth) => {
        const chain = Array.from({ length: depth }, (_, i) => process(11 + i, 10 + i, 10, wrapper));
        const shell = process(50, 10 + depth, 50, text);
        expect(foregroundOf([SETUP, ...chain, shell], 50, 10, note).kind).not.toBe('agent');
      }),
    );
  });
});
