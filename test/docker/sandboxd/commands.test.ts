import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { EngineClient, EnginePiece } from '../../../lib/sandbox/engine/engine-client';
import { eventually } from '../../support/run/eventually';
import type { Requirement } from '../../support/run/requirements';
import { describeWith } from '../../support/run/requirements';
import { collect, EngineHost, processesWith, rootRights } from '../../support/sandbox/engine-host';

describeWith(rootRights, 'commands of a sandbox', () => {
  let host: EngineHost;
  let client: EngineClient;
  beforeAll(() => {
    host = EngineHost.start();
    client = host.client();
  });
  afterAll(() => host.end());
  const run = (argv: readonly string[], more = {}) => host.run(client, { argv, ...more });

  it('runs a program without a shell', async () => {
    const { stdout, result } = await run(['printf', '%s|', '$HOME', '', "it's", '*', 'a\nb']);
    expect(stdout).toBe("$HOME||it's|*|a\nb|");
    expect(result).toMatchObject({ reason: 'exit', exitCode: 0 });
    expect((await run(['pwd'])).stdout).toBe(`${host.workspace}\n`);
    expect((await run(['sh', '-c', 'echo $A; cat <&9'], { env: { A: 'b' }, cwd: '/usr', secret: 's' })).stdout).toBe(
      'b\ns',
    );
  });

  it('runs a program as another user', async () => {
    expect((await run(['id', '-u'], { user: 'root' })).stdout).toBe('0\n');
    expect((await run(['id', '-u'], { user: '12345' })).stdout).toBe('12345\n');
    await expect(run(['id'], { user: 'nobody-of-that-name' })).rejects.toMatchObject({ code: 'bad_request' });
  });

  it.each([
    [['exit 7'], { reason: 'exit', exitCode: 7, signal: null }],
    [['exit 143'], { reason: 'exit', exitCode: 143, signal: null }],
    [['kill -TERM $$'], { reason: 'signal', exitCode: null, signal: 'TERM' }],
  ])('tells an exit code from a signal: %s', async ([script], result) => {
    expect((await run(['sh', '-c', script as string])).result).toMatchObject(result);
  });

  it.each([
    [['no-such-program'], {}, 'there is no program "no-such-program"'],
    [['true'], { cwd: '/no-such-folder' }, '/no-such-folder is not a folder'],
    [['/etc/passwd'], {}, 'may not run'],
  ])('refuses %j with the reason', async (argv, more, detail) => {
    const { result } = await run(argv, more);
    expect(result).toMatchObject({
      reason: 'refused',
      exitCode: null,
      detail: expect.stringContaining(detail) as string,
    });
  });

  it.each([
    [{ command: 'true' }, 'shell'],
    [{ shell: 'a', command: 'x', argv: ['x'] }, 'exactly one'],
    [{ argv: [] }, 'argv'],
    [{ argv: ['a\0b'] }, 'NUL'],
    [{ shell: '../x', command: 'x' }, 'shell'],
    [{ shell: 'a', command: 'x', env: { 'a b': 'c' } }, 'env'],
    [{ argv: ['x'], timeoutMs: -1 }, 'timeoutMs'],
    [{ argv: ['x'], nope: 1 }, 'nope'],
  ])('says what is wrong with %j', async (request, words) => {
    await expect(client.start(host.id(), request as never)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(words) as string,
    });
  });

  it('streams each byte when it is written', async () => {
    const id = host.id();
    await client.start(id, {
      argv: ['sh', '-c', 'printf a; head -c 1 >/dev/null; printf b >&2; head -c 1 >/dev/null; exit 3'],
      stdin: 'open',
    });
    const seen: string[] = [];
    for await (const piece of client.output(id)) {
      if (piece.type === 'stdout' || piece.type === 'stderr') {
        seen.push(`${piece.type} ${piece.offset} ${piece.bytes.toString()}`);
        // The program writes on only when it gets another byte: nothing was held back.
        await client.stdin(id, Readable.from(['x']), { close: false });
      } else if (piece.type === 'end') seen.push(`end ${piece.status.result?.exitCode}`);
    }
    expect(seen).toEqual(['stdout 0 a', 'stderr 1 b', 'end 3']);
  });

  it('needs one connection for one command after another', async () => {
    let dialled = 0;
    const counting = host.client(host.token, () => {
      dialled += 1;
      return host.dial();
    });
    for (const word of ['one', 'two', 'three']) {
      const pieces: EnginePiece[] = [];
      for await (const piece of counting.run(word, { shell: 'connected', command: `echo ${word}` })) pieces.push(piece);
      expect(pieces).toMatchObject([
        { type: 'stdout', offset: 0, bytes: Buffer.from(`${word}\n`) },
        { type: 'end', status: { state: 'ended', result: { exitCode: 0 } } },
      ]);
      expect((await collect(counting, word)).stdout).toBe(`${word}\n`);
    }
    expect(dialled).toBe(1);
  });

  it('gives readers the output from any offset, together and after the end', async () => {
    const id = host.id();
    await client.start(id, { argv: ['seq', '100000'] });
    const [one, two] = await Promise.all([collect(client, id), collect(client, id, 0)]);
    expect(one.stdout).toBe(two.stdout);
    expect(one.result.stdoutBytes).toBe(588_895);
    for (const from of [1, 65_535, 65_536, 588_894, 588_895]) {
      expect((await collect(client, id, from)).stdout).toBe(one.stdout.slice(from));
    }
    await expect(collect(client, id, 588_896)).rejects.toMatchObject({ code: 'bad_request' });
  });

  it('keeps head and tail of more output than the limit, and says exactly how much is gone', async () => {
    const id = host.id();
    const whole = Array.from({ length: 50_000 }, (_, index) => `${index + 1}\n`).join('');
    await client.start(id, { argv: ['seq', '50000'], outputLimit: 20_000 });
    const { stdout, result } = await collect(client, id);
    await collect(client, id);
    const kept = (await collect(client, id)).stdout;
    const [head = '', tail = ''] = kept.split(/\[\d+ bytes dropped\]/);
    expect(whole.startsWith(head)).toBe(true);
    expect(whole.endsWith(tail)).toBe(true);
    expect(head.length).toBe(10_000);
    expect(tail.length).toBeGreaterThan(8_000);
    expect(head.length + tail.length + result.droppedBytes).toBe(whole.length);
    expect(result.stdoutBytes).toBe(whole.length);
    expect(stdout.length).toBeGreaterThan(0);
  });

  it('bounds the disk and the memory of endless output', async () => {
    const id = host.id();
    await client.start(id, { shell: 'endless', command: 'yes', outputLimit: 1_000_000 });
    await eventually(async () => expect((await client.command(id)).offset).toBeGreaterThan(200_000_000));
    const folder = join(host.directory, 'output');
    // A part of the middle may be dropped between its listing and its look.
    const size = readdirSync(folder)
      .filter((name) => name.startsWith(`${id}.`))
      .reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
    expect(size).toBeLessThan(1_200_000);
    expect((await client.status()).memoryBytes).toBeLessThan(250_000_000);
    await client.signal(id, 'KILL');
    expect((await client.command(id, { waitMs: 30_000 })).result).toMatchObject({ reason: 'signal', signal: 'KILL' });
    expect((await host.run(client, { shell: 'endless', command: 'echo usable' })).stdout).toBe('usable\n');
  });

  it('kills all that a program has started at its timeout, also in sessions of their own', async () => {
    const id = host.id();
    await client.start(id, {
      argv: ['sh', '-c', `(trap '' TERM; sleep 1000) & (setsid sh -c "trap '' TERM; sleep 1000" &) ; sleep 1000`],
      timeoutMs: 300,
      graceMs: 200,
    });
    expect((await collect(client, id)).result).toMatchObject({ reason: 'timeout' });
    await eventually(async () => expect(processesWith(`SANDBOX_COMMAND=${id}`)).toEqual([]));
  });

  it('leaves nothing of a shell that is ended', async () => {
    await host.run(client, {
      shell: 'doomed',
      command: 'export DOOM=yes-doomed; (setsid sleep 1000 &); sleep 1000 & disown; nohup sleep 1000 >/dev/null 2>&1 &',
    });
    await client.start('doomed-now', { shell: 'doomed', command: 'echo $$; while :; do :; done' });
    await client.start('doomed-next', { shell: 'doomed', command: 'echo never' });
    const reading = collect(client, 'doomed-now');
    await eventually(async () => expect((await client.command('doomed-now')).offset).toBeGreaterThan(0));
    await client.endShell('doomed');
    expect((await reading).result).toMatchObject({ reason: 'signal', signal: 'KILL' });
    expect((await client.command('doomed-next')).result).toMatchObject({ reason: 'refused' });
    await eventually(async () => expect(processesWith('DOOM=yes-doomed')).toEqual([]));
    expect((await client.status()).shells).not.toContain('doomed');
    const shell = (await reading).stdout.trim();
    expect(existsSync(`/proc/${shell}/exe`)).toBe(false);
  });

  const cgroups: Requirement = {
    missing: () =>
      ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].some((path) => {
        try {
          accessSync(join(path, 'cgroup.procs'), constants.W_OK);
          return true;
        } catch {
          return false;
        }
      })
        ? undefined
        : 'the kernel gives no cgroup v2 that can be written',
  };
  describeWith(cgroups, 'where the kernel has groups', () => {
    /** Another session, another parent, no environment. */
    const escape = (word: string): string => `env -i setsid sh -c '(sh -c "echo \\$\\$ >${word}; exec sleep 1000" &)'`;
    const pidIn = (word: string): Promise<string> =>
      eventually(async () => {
        const pid = readFileSync(join(host.workspace, word), 'utf8').trim();
        expect(pid).not.toBe('');
        return pid;
      });
    const isGone = (pid: string): Promise<void> =>
      eventually(async () => expect(existsSync(`/proc/${pid}/exe`)).toBe(false));

    it('a process that has left everything ends with its shell', async () => {
      await host.run(client, { shell: 'escaped', command: escape('shell-pid') });
      const pid = await pidIn('shell-pid');
      expect(existsSync(`/proc/${pid}/exe`)).toBe(true);
      await client.endShell('escaped');
      await isGone(pid);
    });

    it('a process that has left everything ends with the timeout of its program', async () => {
      const id = host.id();
      await client.start(id, {
        argv: ['sh', '-c', `sleep 0.2; ${escape('program-pid')}; sleep 1000`],
        timeoutMs: 800,
        graceMs: 100,
      });
      expect((await collect(client, id)).result.reason).toBe('timeout');
      await isGone(await pidIn('program-pid'));
    });
  });

  it('forgets a command, and kills it first', async () => {
    const id = host.id();
    await client.start(id, { argv: ['sh', '-c', 'echo x; sleep 1000'] });
    await eventually(async () => expect((await client.command(id)).offset).toBe(2));
    await client.forget(id);
    await expect(client.command(id)).rejects.toMatchObject({ code: 'event_not_found' });
    expect(readdirSync(join(host.directory, 'output')).filter((name) => name.startsWith(`${id}.`))).toEqual([]);
    await eventually(async () => expect(processesWith(`SANDBOX_COMMAND=${id}`)).toEqual([]));
  });

  it('gives a program a terminal, with its size and keys', async () => {
    const id = host.id();
    await client.start(id, {
      argv: [
        'sh',
        '-c',
        'trap "stty size" WINCH; stty size; tty >/dev/null && echo terminal; while ! read line; do :; done; echo "got $line"; exit 6',
      ],
      terminal: { cols: 80, rows: 24 },
    });
    let text = '';
    // Each once: output may come in any number of pieces.
    let [isResized, isTyped] = [false, false];
    for await (const piece of client.output(id)) {
      if (piece.type === 'stdout') text += piece.bytes.toString();
      if (text.includes('terminal') && !isResized) {
        isResized = true;
        await client.resize(id, { cols: 100, rows: 33 });
      }
      if (text.includes('33 100') && !isTyped) {
        isTyped = true;
        await client.stdin(id, Readable.from(['hello\r']), { close: false });
      }
      if (piece.type === 'end') expect(piece.status.result).toMatchObject({ reason: 'exit', exitCode: 6 });
    }
    expect(text).toMatch(/^24 80\r\nterminal\r\n[^]*33 100\r\n[^]*got hello\r\n$/);
  });

  it('runs a hundred at once', async () => {
    const ran = await Promise.all(Array.from({ length: 100 }, (_, index) => run(['sh', '-c', `echo ${index}`])));
    expect(ran.map(({ stdout }) => stdout)).toEqual(ran.map((_, index) => `${index}\n`));
  });
});
