import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WatchLimits } from '../../../lib/tasks/shell/watcher';
import { WATCHER_TIME_UP, watcherCommand } from '../../../lib/tasks/shell/watcher';
import { describeWith, program } from '../../support/run/requirements';
import { separateFileSystems } from '../../support/endpoint/namespaces';

const LONG = 100_000;

/** The watcher alone with its sessions: in process ids of its own, so that it sees none of the machine's. */
describeWith([separateFileSystems, program('dash'), program('bash')], 'the watcher of a shell', () => {
  const children: ChildProcess[] = [];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'watcher-'));
    for (const name of ['ssm-session-worker', 'sshd-session']) copyFileSync('/bin/sleep', join(folder, name));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** `session` runs beside the watcher, and ends with its input. */
  function watch(shell: string, limits: Partial<WatchLimits>, session = ':') {
    const words = watcherCommand({ arriveWithin: LONG, maxLifetime: LONG, keep: false, ...limits });
    const outer = `mount -t proc proc /proc && { ${session} 3<&0 & } ; exec ${shell} -c "$@"`;
    const namespaces = ['--fork', '--pid', '--mount', '--kill-child'];
    const child = spawn('unshare', [...namespaces, 'bash', '-c', outer, 'bash', ...words], { stdio: 'pipe' });
    children.push(child);
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number, said }));
    return { child, ended };
  }

  describe.each(['dash', 'bash', 'bash --posix'])('under %s', (shell) => {
    it('ends when nobody comes', async () => {
      const { code, said } = await watch(shell, { arriveWithin: 1 }).ended;
      expect(said).toContain('nobody came within 1 s');
      expect(code).toBe(WATCHER_TIME_UP);
    });

    it.each(['ssm-session-worker', 'sshd-session'])('stays for %s, and ends once it has gone', async (name) => {
      const { ended } = watch(shell, { arriveWithin: 3 }, `{ ${folder}/${name} 5; }`);
      const { code, said } = await ended;
      expect(said).toContain('its last session has gone');
      expect(code).toBe(0);
    });

    it('ends after its lifetime, even while a session is open', async () => {
      const { ended } = watch(shell, { maxLifetime: 2 }, `{ ${folder}/ssm-session-worker ${LONG}; }`);
      const { code, said } = await ended;
      expect(said).toContain('it has run for 2 s');
      expect(code).toBe(WATCHER_TIME_UP);
    });

    it('keeps running without sessions if asked to', async () => {
      const { code, said } = await watch(shell, { arriveWithin: 1, maxLifetime: 3, keep: true }).ended;
      expect(said).toContain('it has run for 3 s');
      expect(code).toBe(WATCHER_TIME_UP);
    });
  });

  it.each(['dash', 'bash'])('takes SIGTERM at once under %s', async (shell) => {
    const words = watcherCommand({ arriveWithin: LONG, maxLifetime: LONG, keep: false });
    const child = spawn(shell, ['-xc', ...words], { stdio: 'pipe' });
    children.push(child);
    let trace = '';
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (text: Buffer) => {
        trace += text.toString();
        if (trace.includes('+ wait')) resolve();
      }),
    );
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  });
});
