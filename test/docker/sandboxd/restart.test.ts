import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { eventually } from '../../support/run/eventually';
import { describeWith } from '../../support/run/requirements';
import { collect, EngineHost, processesWith, rootRights } from '../../support/sandbox/engine-host';

/** The first shell of a journal. */
const shellEntry = (journal: string): { readonly status: string } =>
  journal
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly shell?: { readonly status: string } })
    .find(({ shell }) => shell !== undefined)?.shell ?? { status: '' };

describeWith(rootRights, 'output of many commands', () => {
  it('is kept up to a budget, the newest longest, also after a restart', async () => {
    const host = EngineHost.start(['--output-budget', '250000']);
    const client = host.client();
    for (const id of ['one', 'two', 'three']) {
      await host.run(client, { argv: ['head', '-c', '100000', '/dev/zero'] }, id);
    }
    for (const restart of [false, true]) {
      if (restart) {
        host.kill();
        host.begin();
      }
      expect((await collect(client, 'one')).stdout).toBe('[100000 bytes dropped]');
      expect((await collect(client, 'two')).stdout).toBe('\0'.repeat(100_000));
      expect((await collect(client, 'three')).stdout).toBe('\0'.repeat(100_000));
    }
    await host.end();
  });
});

describeWith(rootRights, 'an engine that is killed and started again', () => {
  let host: EngineHost;
  let client: EngineClient;
  beforeEach(() => {
    host = EngineHost.start();
    client = host.client();
  });
  afterEach(() => host.end());
  const again = (): void => {
    host.kill();
    host.begin();
  };
  const waitFor = async (id: string, text: string): Promise<void> => {
    for await (const piece of client.output(id)) {
      if (piece.type === 'stdout' && piece.bytes.includes(text)) return;
    }
  };

  it('has the output and the ends of before', async () => {
    const ran = await host.shell(client, 'echo out; echo err >&2; exit 4', {});
    again();
    const after = await collect(client, ran.status.id);
    expect(after).toEqual(ran);
    expect((await client.command(ran.status.id)).result).toEqual(ran.result);
    expect((await collect(client, ran.status.id, 4)).stdout).toBe('');
  });

  it('keeps shells with their state, and starts nothing twice', async () => {
    await host.shell(client, 'cd /usr; X=kept; f() { echo f; }');
    await host.run(client, { shell: 'main', command: `echo x >>${host.workspace}/times` }, 'once');
    again();
    expect(
      (await host.run(client, { shell: 'main', command: `echo x >>${host.workspace}/times` }, 'once')).result.exitCode,
    ).toBe(0);
    expect((await host.shell(client, 'pwd; echo $X; f')).stdout).toBe('/usr\nkept\nf\n');
    expect(readFileSync(join(host.workspace, 'times'), 'utf8')).toBe('x\n');
  });

  it('goes on with a command that runs in a shell: every byte and the exit code', async () => {
    await client.start('runs', {
      shell: 'main',
      command: 'echo one; read x <go; echo two; (exit 5)',
      cwd: host.workspace,
    });
    await host.run(client, { argv: ['mkfifo', 'go'] });
    await waitFor('runs', 'one');
    await client.start('next', { shell: 'main', command: 'echo $?' });
    await client.start('with-env', { shell: 'main', command: 'echo no', env: { A: 'b' } });
    host.kill();
    host.begin();
    await host.run(client, { argv: ['sh', '-c', 'echo >go'] });
    const ran = await collect(client, 'runs');
    expect(ran.stdout).toContain('one\n');
    expect(ran.result.reason).toBe('exit');
    expect((await collect(client, 'next')).result.reason).toBe('exit');
    expect((await collect(client, 'with-env')).result).toMatchObject({ reason: 'lost' });
  });

  it('reads on what a program writes meanwhile, and says that its exit code is lost', async () => {
    await client.start('program', {
      argv: ['sh', '-c', 'echo $$; for n in 1 2 3 4 5 6 7 8 9; do echo $n; sleep 0.1; done'],
    });
    await waitFor('program', '\n');
    again();
    const { stdout, result } = await collect(client, 'program');
    expect(stdout.split('\n').slice(1)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '']);
    expect(result).toMatchObject({ reason: 'lost', detail: expect.stringContaining('restarted') as string });
  });

  it('says lost when the earlier engine took the word of the end with it', async () => {
    await host.run(client, { argv: ['mkfifo', 'go'] });
    await client.start('ends', { shell: 'main', command: 'X=kept; echo one; read x <go; echo two' });
    await waitFor('ends', 'one');
    host.kill();
    const { status } = shellEntry(readFileSync(join(host.directory, 'journal'), 'utf8'));
    // Held open, so that the writer of the first word can go; read as the engine would have.
    const pipe = openSync(status, constants.O_RDWR | constants.O_NONBLOCK);
    writeFileSync(join(host.workspace, 'go'), '\n');
    const word = Buffer.alloc(100);
    await eventually(async () => expect(readSync(pipe, word)).toBeGreaterThan(0));
    closeSync(pipe);
    expect(word.toString('latin1')).toMatch(/^e \d+ 0\n/);
    host.begin();
    const { stdout, result } = await collect(client, 'ends');
    expect(stdout).toBe('one\ntwo\n');
    expect(result).toMatchObject({ reason: 'lost', detail: expect.stringContaining('at its end') as string });
    expect((await host.shell(client, 'echo $X')).stdout).toBe('kept\n');
  });

  it('still holds a timeout', async () => {
    await client.start('slow', { shell: 'main', command: 'X=1; echo go; sleep 1000', timeoutMs: 1500 });
    await waitFor('slow', 'go');
    again();
    expect((await collect(client, 'slow')).result).toMatchObject({ reason: 'timeout', signal: 'TERM' });
    expect((await host.shell(client, 'echo $X')).stdout).toBe('1\n');
  });

  it('leaves stdin open to a command that reads it', async () => {
    await client.start('reads', { shell: 'main', command: 'cat; echo end', stdin: 'open' });
    await client.stdin('reads', Readable.from(['before ']), { close: false });
    await waitFor('reads', 'before');
    again();
    await client.stdin('reads', Readable.from(['after ']), { close: true });
    expect((await collect(client, 'reads')).stdout).toBe('before after end\n');
  });

  it('leaves an offered stdin open that was used before the restart', async () => {
    await client.start('used', { shell: 'main', command: 'cat; echo end', stdin: 'offered' });
    await client.stdin('used', Readable.from(['before ']), { close: false });
    await waitFor('used', 'before');
    again();
    // Its end shows that more time has passed than an offer lasts.
    await client.start('unused', { argv: ['cat'], stdin: 'offered' });
    expect(await client.command('unused', { waitMs: 60_000 })).toMatchObject({ state: 'ended' });
    await client.stdin('used', Readable.from(['after ']), { close: true });
    expect((await collect(client, 'used')).stdout).toBe('before after end\n');
  });

  it('says lost when the shell died with it', async () => {
    await client.start('dies', { shell: 'main', command: 'echo $$; sleep 1000' });
    await waitFor('dies', '\n');
    const pid = Number((await collectNow('dies')).trim());
    host.kill();
    process.kill(pid, 'SIGKILL');
    host.begin();
    expect((await collect(client, 'dies')).result).toMatchObject({ reason: 'lost' });
    expect((await host.shell(client, 'echo new')).stdout).toBe('new\n');
    await eventually(async () => expect(processesWith('SANDBOX_COMMAND=dies')).toEqual([]));
  });

  const collectNow = async (id: string): Promise<string> => {
    let text = '';
    for await (const piece of client.output(id, { follow: false })) {
      if (piece.type === 'stdout') text += piece.bytes.toString();
    }
    return text;
  };

  it('keeps its token as a hash alone, and leaves a running engine of its own kind', async () => {
    const { pid } = await client.status();
    expect(host.begin().pid).toBe(pid);
    const text = ['journal', 'token.sha256', 'log']
      .map((name) => readFileSync(join(host.directory, name), 'utf8'))
      .join('');
    expect(text).not.toContain(host.token);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(
      host.token,
    );
  });

  it('is replaced for another token, with its shells', async () => {
    await host.shell(client, 'X=kept');
    const token = 'another-token-of-the-same-length-or-so';
    host.begin(token);
    await expect(client.status()).rejects.toMatchObject({ code: 'session_unavailable' });
    const other = host.client(token);
    expect((await host.shell(other, 'echo $X')).stdout).toBe('kept\n');
    host.begin(host.token);
  });

  it('takes stdin of many megabytes with back-pressure', async () => {
    await client.start('big', { argv: ['sh', '-c', 'sleep 0.2; wc -c'], stdin: 'open' });
    const data = new PassThrough();
    const sent = client.stdin('big', data, { close: true });
    const part = Buffer.alloc(1_000_000, 'x');
    for (let count = 0; count < 100; count++)
      if (!data.write(part)) await new Promise((resolve) => data.once('drain', resolve));
    data.end();
    await sent;
    expect((await collect(client, 'big')).stdout.trim()).toBe('100000000');
    expect((await client.status()).memoryBytes).toBeLessThan(200_000_000);
  });
});
