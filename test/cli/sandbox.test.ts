import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localHosts, START_UP } from '../support/cli/cli-local';
import { runInTerminal, terminal } from '../support/cli/cli-terminal';
import { describeWith } from '../support/run/requirements';
import { SandboxServiceProcess } from '../support/sandbox/sandbox-service';

describeWith([...localHosts, terminal], 'sandbox', () => {
  let service: SandboxServiceProcess;
  const { run, json } = {
    run: (words: readonly string[], options = {}) => service.home.run(['sandbox', ...words], options),
    json: <T>(words: readonly string[], options = {}) => service.home.json<T>(['sandbox', ...words], options),
  };

  beforeAll(async () => {
    service = await SandboxServiceProcess.start();
    await run(['create', 'box', '--metadata', 'team=red']);
  }, START_UP);
  afterAll(() => service?.stop(), START_UP);

  test('the service is found by its private file, which says nothing to others', async () => {
    expect(statSync(join(service.served.dataDirectory, 'service.json')).mode & 0o777).toBe(0o600);
    const { stdout } = await run(['list']);
    expect(stdout).toMatch(/^box +active .*team=red$/m);
  });

  test('keys are made, used and revoked', async () => {
    const made = await json<{ id: string; name: string; key: string }>([
      'keys',
      'create',
      'bob',
      '--rate',
      '50',
      '--tenant',
      'bob',
    ]);
    expect(made).toMatchObject({ id: expect.any(String) as string, name: 'bob', key: expect.any(String) as string });
    const bob = { env: { MNGR_SANDBOX_URL: service.served.url, SANDBOX_SECRET: made.key } };
    await expect(json(['list'], bob)).resolves.toEqual([]);
    expect((await run(['keys', 'list'], bob)).exitCode).toBe(5);
    expect((await run(['exec', 'box', '--', 'true'], bob)).exitCode).toBe(3);
    expect((await run(['keys', 'create', 'bob'])).exitCode).toBe(4);
    expect((await run(['keys', 'revoke', 'bob'])).stdout).toBe('bob: revoked\n');
    expect((await run(['list'], bob)).exitCode).toBe(5);
    expect((await run(['keys', 'list'])).stdout).not.toContain(made.key);
  });

  test("exec ends with the command's code, and keeps its outputs apart", async () => {
    const script = ['exec', 'box', '--', 'sh', '-c', 'cat; echo err >&2; exit 3'];
    await expect(run(script, { input: 'in' })).resolves.toEqual({ exitCode: 3, stdout: 'in', stderr: 'err\n' });
    const shell = ['exec', 'box', '--shell', 'work'];
    await run([...shell, 'cd /usr; export X=1']);
    expect((await run([...shell, 'pwd; echo $X'])).stdout).toBe('/usr\n1\n');
    const document = await json(['exec', 'box', '--', 'printf', '\\377']);
    expect(document).toMatchObject({ exitCode: 0, stdoutBase64: '/w==', stderr: '', droppedBytes: 0 });
    expect((await run(['exec', 'box', '--timeout', '1s', '--', 'sleep', '1000'])).exitCode).toBe(7);
    expect((await run(['exec', 'nobody', '--', 'true'])).exitCode).toBe(3);
  });

  test('Ctrl-C interrupts the command in the sandbox', async () => {
    const { exitCode } = await run(
      ['exec', 'box', '--', 'sh', '-c', 'trap "touch /tmp/was-told; exit" INT; echo up; sleep 1000 & wait'],
      {
        onStart: async ({
          kill,
          onStdout,
        }: {
          kill: (signal: 'SIGINT') => boolean;
          onStdout: (text: RegExp) => Promise<void>;
        }) => {
          await onStdout(/up/);
          kill('SIGINT');
        },
      },
    );
    expect(exitCode).toBe(130);
    expect((await run(['exec', 'box', '--', 'ls', '/tmp/was-told'])).exitCode).toBe(0);
  });

  test('a shell on a real terminal, which is as it was afterwards', async () => {
    const { output, exitCode } = await runInTerminal(
      service.home,
      ['sandbox', 'shell', 'box'],
      [
        { expect: '[#$] ', send: 'stty size; echo "<$((6 * 7))>"\r' },
        { expect: '40 120.*<42>', send: 'sleep 1000\r' },
        { expect: 'sleep 1000', send: '\x03' },
        { expect: '[#$] ', send: 'exit 4\r' },
      ],
    );
    expect(output).toContain('<42>');
    expect(exitCode).toBe(4);
  });

  test('files and folders go both ways', async () => {
    const folder = service.home.path('tree');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(folder, 'sub', 'big'), Buffer.alloc(3_000_000, 'x'));
    symlinkSync('run.sh', join(folder, 'link'));
    await expect(json(['cp', folder, 'box:copied'])).resolves.toMatchObject({ skipped: [] });
    expect((await run(['exec', 'box', '--', 'stat', '-c', '%a %s %N', 'copied/run.sh', 'copied/link'])).stdout).toMatch(
      /^755 10 .*\n.*-> 'run.sh'\n$/,
    );
    const back = service.home.path('back');
    expect((await run(['cp', 'box:copied', back])).exitCode).toBe(0);
    expect(readFileSync(join(back, 'sub', 'big'))).toHaveLength(3_000_000);
    expect((await run(['cp', 'box:nothing', back])).exitCode).toBe(3);
  });

  test('git and events', async () => {
    await run(['exec', 'box', '--', 'git', 'init', '-q', 'repo']);
    await run(['exec', 'box', '--', 'touch', 'repo/a']);
    expect((await run(['git', 'commit', 'box', '--path', 'repo', '-m', 'first'])).exitCode).toBe(0);
    expect((await run(['git', 'log', 'box', '--path', 'repo'])).stdout).toContain('first');
    const events = await json<{ seq: number; kind: string }[]>(['events', 'box']);
    const log = events.find(({ kind }) => kind === 'git_log');
    expect((await run(['events', 'box', '--output', String(log?.seq)])).stdout).toContain('first');
    const { exitCode } = await run(['events', 'box', '--follow'], {
      onStart: async ({
        kill,
        onStdout,
      }: {
        kill: (signal: 'SIGINT') => boolean;
        onStdout: (text: RegExp) => Promise<void>;
      }) => {
        await onStdout(/git log/);
        kill('SIGINT');
      },
    });
    expect(exitCode).toBe(130);
  });

  test('destroy', async () => {
    await run(['create', 'gone']);
    expect((await run(['destroy', 'gone'])).exitCode).toBe(2);
    expect((await run(['destroy', 'gone', '--yes'])).stdout).toBe('gone: destroyed\n');
    expect((await run(['destroy', 'gone', '--yes'])).exitCode).toBe(3);
  });
});
