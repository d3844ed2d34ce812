import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MngrFargateError } from '../../../lib/contract/errors';
import { ProcessRuntime } from '../../../lib/local/runtimes/process';
import { describeWith, program } from '../../support/run/requirements';
import { separateFileSystems } from '../../support/endpoint/namespaces';
import { itKeepsTheRuntimeContract } from '../../support/endpoint/runtime-contract';
import { ROOT } from '../../support/run/paths';

const needs = ['sshd', 'ssh-keygen', 'openssl'].map(program);

/** Processes that have the folder in their environment, arguments, working directory or mounts. */
function processesAt(folder: string): string[] {
  const text = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.filter((pid) =>
    [
      () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      () => readFileSync(`/proc/${pid}/environ`, 'utf8'),
      () => readFileSync(`/proc/${pid}/mounts`, 'utf8'),
      () => readlinkSync(`/proc/${pid}/cwd`),
    ].some((read) => text(read).includes(folder)),
  );
}

describeWith([...needs, separateFileSystems], 'processes with namespaces', () => {
  itKeepsTheRuntimeContract({
    create: (stateDirectory, endpointId) => ProcessRuntime.create({ stateDirectory, endpointId }),
    leftovers: processesAt,
    ownRoot: true,
  });
});

describeWith([...needs, separateFileSystems], 'processes of an endpoint that no shell has started', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-p-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // Bash reads ~/.bashrc when its input is a socket and it is the outermost shell, since rshd starts it like that.
  it("have namespaces, whatever its user's .bashrc runs", () => {
    writeFileSync(join(folder, '.bashrc'), 'x=$(/bin/true)\n');
    const program = `
      const { ProcessRuntime } = require(${JSON.stringify(require.resolve('../../../lib/local/runtimes/process'))});
      const options = { stateDirectory: ${JSON.stringify(folder)}, endpointId: 'bashrc' };
      ProcessRuntime.create(options).then((runtime) => console.log(runtime.namespaced, runtime.description));`;
    const env = { ...process.env, HOME: folder, SHLVL: '0' };
    const output = execFileSync(process.execPath, ['--import', 'tsx', '--eval', program], { env, encoding: 'utf8' });
    expect(output).toMatch(/^true processes of this machine with their own process ids/);
  });
});

describeWith(needs, 'processes below MNGR_ROOT', () => {
  itKeepsTheRuntimeContract({
    create: (stateDirectory, endpointId) => ProcessRuntime.create({ stateDirectory, endpointId, namespaces: 'off' }),
    leftovers: processesAt,
    ownRoot: false,
  });
});

describeWith(needs, 'the folder of processes below MNGR_ROOT', () => {
  const parent = mkdtempSync(join(tmpdir(), 'mngr-p-'));
  afterAll(() => rmSync(parent, { recursive: true, force: true }));

  const createIn = (length: number): Promise<ProcessRuntime> =>
    ProcessRuntime.create({
      stateDirectory: join(parent, 'x'.repeat(length - parent.length - 1)),
      endpointId: 'paths',
      namespaces: 'off',
    });

  it('is refused where a socket below it would have too long a path, with the length that is possible', async () => {
    const refusal = await createIn(90).then(
      () => undefined,
      (error: unknown) => error as MngrFargateError,
    );
    expect(refusal).toMatchObject({ code: 'usage', hint: expect.stringContaining('MNGR_FARGATE_LOCAL_DIR') });
    const longest = Number(/allow at most (\d+) \(they are switched off\)$/.exec(refusal?.message ?? '')?.[1]);
    // Where a root without namespaces keeps it by default.
    expect(longest).toBeGreaterThanOrEqual('/root/.mngr-fargate/local/runtime'.length);
    await expect(createIn(longest + 1)).rejects.toMatchObject({ code: 'usage' });

    const runtime = await createIn(longest);
    const { reference } = await runtime.prepare({ type: 'folder', path: join(ROOT, 'docker') });
    const taskId = '0'.repeat(32);
    await runtime.start({
      taskId,
      image: { reference },
      address: await runtime.reserveAddress(taskId),
      environment: {},
      cpu: 256,
      memory: 512,
      initProcess: false,
      containerName: 'agent',
      entryPoint: ['/bin/sh', '-c'],
      command: [
        'mkdir -p -m 700 "$MNGR_ROOT/run/tmux-0" && exec tmux -S "$MNGR_ROOT/run/tmux-0/default" new-session -d true',
      ],
    });
    await expect(runtime.wait(taskId, new AbortController().signal)).resolves.toMatchObject({ exitCode: 0 });
    await runtime.removeAll();
  });
});
