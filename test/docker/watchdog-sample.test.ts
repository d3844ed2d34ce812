import { describeWith, program } from '../support/run/requirements';
import { judge } from './watchdog-facts';

/** A line of /proc/PID/stat. Times in clock ticks: own, and of children that have ended. */
const stat = (pid: number, name: string, parent: number, { own = 0, children = 0, state = 'S' } = {}): string =>
  `${pid} (${name}) ${state} ${parent} ${pid} ${pid} 0 -1 4194560 1 0 0 0 ${own} 0 ${children} 0 20 0 1 0 500 1000 10`;

const LISTENER = stat(50, 'sshd', 1);
const SETTINGS = ['sshd 50', 'busy 5 100'];

/** Lines of the sample, and what decide.awk makes of it. */
const sample = (facts: readonly string[], table: readonly string[]): string[] =>
  judge(
    ['sample.awk', 'decide.awk'],
    [
      ...SETTINGS,
      'limits 3600 - ssh,agent,boot',
      'now 1790000000',
      'file 1790000000 1 0 activity/boot',
      ...facts,
      'table proc',
      '1000.00 1800.00',
      ...table,
    ],
  );

const sessionsIn = (table: readonly string[], facts: readonly string[] = []): string | undefined =>
  sample(facts, table).find((line) => line.startsWith('sessions'));

describeWith([program('awk')], 'what the watchdog sees in the process table', () => {
  describe('sessions', () => {
    it.each([
      ['a shell of OpenSSH 9.7 and older', [LISTENER, stat(60, 'sshd', 50), stat(61, 'bash', 60)]],
      ['of a user without rights', [LISTENER, stat(59, 'sshd', 50), stat(60, 'sshd', 59), stat(61, 'bash', 60)]],
      ['of OpenSSH 9.8 and newer', [LISTENER, stat(60, 'sshd-session', 50), stat(61, 'sh', 60)]],
      ['an SFTP server', [LISTENER, stat(60, 'sshd', 50), stat(61, 'sftp-server', 60)]],
      ['a name with parentheses', [LISTENER, stat(60, 'sshd', 50), stat(61, 'a) S 1 (b', 60)]],
    ])('are commands below the host’s sshd: %s', (_name, table) => {
      expect(sessionsIn(table)).toBe('sessions -,61');
    });

    it.each([
      ['a client that has not logged in', [LISTENER, stat(60, 'sshd', 50), stat(61, 'sshd', 60)]],
      ['the same of OpenSSH 9.9', [LISTENER, stat(60, 'sshd-session', 50), stat(61, 'sshd-auth', 60)]],
      ['a connection without a command', [LISTENER, stat(60, 'sshd', 50)]],
      ['a command that has ended', [LISTENER, stat(60, 'sshd', 50), stat(61, 'bash', 60, { state: 'Z' })]],
      ['a session of another sshd', [LISTENER, stat(70, 'sshd', 1), stat(71, 'bash', 70)]],
      ['what a session has left behind', [LISTENER, stat(61, 'tmux: server', 1), stat(62, 'bash', 61)]],
      ['a worker of Session Manager outside a container', [LISTENER, stat(61, 'ssm-session-wor', 1)]],
      ['processes in a circle', [LISTENER, stat(61, 'a', 62), stat(62, 'sshd', 61)]],
      ['lines cut off', [LISTENER, '61 (bash', '62 (bash) S 50', '']],
      ['facts that a process has for its name', [LISTENER, 'sshd 1', 'limits 1 1 -', 'container']],
    ])('are not %s', (_name, table) => {
      expect(sessionsIn(table)).toBe('sessions -');
    });

    it('are Session Manager’s workers in a container', () => {
      expect(
        sessionsIn([LISTENER, stat(61, 'ssm-session-wor', 1), stat(62, 'ssm-agent-worke', 1)], ['container']),
      ).toBe('sessions -,61');
    });

    it('count as activity from the second round on', () => {
      const table = [LISTENER, stat(60, 'sshd', 50), stat(61, 'bash', 60)];
      expect(sample(['last 985.00 0 -,77'], table)).not.toContain('touch ssh');
      expect(sample(['last 985.00 0 -,77,61'], table)).toContain('touch ssh');
    });
  });

  describe('agents', () => {
    const agent = (own: number, children: number): string[] => [
      stat(80, 'tmux: server', 1, { own: 5000 }),
      stat(81, 'bash', 80, { own: 10, children }),
      stat(82, 'node', 81, { own }),
      stat(90, 'other', 1, { own: 90_000 }),
    ];
    const panes = ['pane 81 mngr-one'];

    it('are measured with all that they started, and without the rest', () => {
      expect(sample(panes, agent(100, 40))).toContain('cpu 150');
    });

    it.each([
      ['5 % of one processor since the last round', 100 + 75, 0, true],
      ['5 % by children that have ended', 100, 75, true],
      ['less', 100 + 74, 0, false],
      ['less than before, since a process has left', 20, 0, false],
    ])('are busy or not: %s', (_name, own, children, busy) => {
      // 15 seconds lie between 985 and 1000.
      expect(sample([...panes, 'last 985.00 110 -'], agent(own, children)).includes('touch agent')).toBe(busy);
    });

    it('are not judged in the first round', () => {
      expect(sample([...panes, 'last - - -'], agent(90_000, 0))).not.toContain('touch agent');
    });
  });

  it('reads the table of ps where there is no /proc', () => {
    const table = [
      '   50     1   0:01.10 /usr/sbin/sshd',
      '   60    50   0:00.02 /usr/libexec/sshd-session',
      '   61    60   0:00.50 -bash',
      '   81     1   1:00.25 -zsh',
      '   82    81 1-01:00:01 node',
    ];
    const lines = judge(
      ['sample.awk', 'decide.awk'],
      [
        ...SETTINGS,
        'limits 3600 - ssh',
        'now 1790000000',
        'pane 81 mngr-one',
        'last 1789999985 9006026 -,61',
        'table ps',
        ...table,
      ],
    );
    expect(lines).toEqual(['uptime 1790000000', 'cpu 9006125', 'sessions -,61', 'touch ssh', 'touch agent', 'keep']);
  });
});
