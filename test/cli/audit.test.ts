import type { Task } from '@aws-sdk/client-ecs';
import type { AuditEntry } from '../../lib/tasks/index';
import { CliHome } from '../support/cli/cli-program';
import { auditedAssembly, OVERRIDE } from '../support/endpoint/audited-assembly';
import { denied } from '../support/endpoint/denied';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { eventually } from '../support/run/eventually';
import { describeWith } from '../support/run/requirements';

describeWith(processTasks, 'logs --audit', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;
  let task: Task;

  beforeAll(async () => {
    local = await ExecEndpoint.start(auditedAssembly(OVERRIDE));
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
    task = await local.runTask();
    const words = ['exec', '--task', task.taskArn ?? '', '--', 'sh', '-c', 'echo "seen by all"; echo err >&2'];
    expect((await home.run(words)).exitCode).toBe(0);
    await eventually(async () => expect((await audit())[0]?.transcript).not.toBeNull());
  });
  afterAll(async () => {
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const audit = async (...words: string[]): Promise<AuditEntry[]> => {
    const { stdout } = await home.run(['logs', '--audit', '--cluster', 'mngr', '--json', ...words]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditEntry);
  };
  const id = (): string => task.taskArn?.split('/').at(-1) ?? '';

  it('says who ran what when, and what it showed', async () => {
    expect(await audit('--task', id())).toEqual([
      {
        timestamp: expect.any(String) as string,
        who: expect.stringMatching(/^arn:aws:iam::\d+:user\//) as string,
        sourceAddress: '127.0.0.1',
        kind: 'command',
        command: `sh -c 'echo "seen by all"; echo err >&2'`,
        task: id(),
        container: 'agent',
        sessionId: expect.stringMatching(/^ecs-execute-command-/) as string,
        endedAt: expect.any(String) as string,
        error: null,
        transcript: expect.stringContaining('seen by all\n') as string,
      },
    ]);
    const { stdout, stderr } = await home.run(['logs', '--audit', '--task', task.taskArn ?? '']);
    expect(stdout).toMatch(
      /^\S+Z user\/\S+ agent\/[0-9a-f]{8} ran: sh -c 'echo "seen by all".*\n[^]* {4}seen by all\n/,
    );
    expect(stderr).toContain('CloudTrail shows a call after about five');
  });

  it('keeps to the tasks, the container and the time that are named', async () => {
    expect(await audit('--family', 'mngr-task')).toHaveLength(1);
    expect(await audit('--family', 'another')).toEqual([]);
    expect(await audit('--task', id(), '--container', 'another')).toEqual([]);
    expect(await audit('--until', '1h')).toEqual([]);
    const { exitCode, stderr } = await home.run(['logs', '--audit', '--cluster', 'mngr', '--follow']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--audit and --follow cannot be used together') as string,
    });
  });

  it('says what it may not see, and how that is changed', async () => {
    await local.control('PUT', 'faults', [denied('cloudtrail:LookupEvents')]);
    const whose = await home.run(['logs', '--audit', '--cluster', 'mngr']);
    expect(whose.exitCode).toBe(0);
    expect(whose.stderr).toMatch(/not shown: who opened sessions[^]*allow cloudtrail:LookupEvents/);
    expect(whose.stdout).toContain('(unknown) ran: (unknown)');
    await local.control('PUT', 'faults', [denied('logs:FilterLogEvents')]);
    const what = await home.run(['logs', '--audit', '--cluster', 'mngr']);
    await local.control('PUT', 'faults', []);
    expect(what.stderr).toMatch(/not shown: what was done in sessions[^]*logs:FilterLogEvents/);
    expect(what.stdout).toContain('seen by all');
  });
});

describeWith(processTasks, 'logs --audit of a cluster that logs no sessions', () => {
  it('says how to switch it on', async () => {
    const home = new CliHome();
    const local = await ExecEndpoint.start(auditedAssembly({ Logging: 'NONE' }));
    try {
      const words = ['logs', '--audit', '--cluster', 'mngr'];
      const { exitCode, stderr } = await home.with(local.endpoint.description.env).run(words);
      expect(exitCode).toBe(0);
      expect(stderr).toContain('cluster mngr logs none');
      expect(stderr).toContain('aws ecs update-cluster --cluster mngr');
    } finally {
      home.remove();
      await local.destroy();
    }
  });
});
