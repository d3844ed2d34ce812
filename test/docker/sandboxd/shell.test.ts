import { readdirSync } from 'node:fs';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { eventually } from '../../support/run/eventually';
import { describeWith } from '../../support/run/requirements';
import { EngineHost, rootRights } from '../../support/sandbox/engine-host';

describeWith(rootRights, 'a shell session', () => {
  let host: EngineHost;
  let client: EngineClient;
  beforeAll(() => {
    host = EngineHost.start();
    client = host.client();
  });
  afterAll(() => host.end());
  const run = (command: string, more = {}) => host.shell(client, command, more);

  it('runs as the user of the sandbox, in its workspace', async () => {
    const { stdout, stderr, result } = await run('id -u; id -g; pwd; echo "$HOME"; echo err >&2');
    expect(stdout).toBe(`1000\n1000\n${host.workspace}\n${host.home}\n`);
    expect(stderr).toBe('err\n');
    expect(result).toMatchObject({
      reason: 'exit',
      exitCode: 0,
      signal: null,
      stdoutBytes: stdout.length,
      stderrBytes: 4,
    });
  });

  it('keeps folder, variables, functions, aliases, umask, options, traps and the last status', async () => {
    await run(
      'cd /usr; export X=1; Y=2; f() { echo "f $1"; }; alias q="echo aliased"; umask 027; trap "echo usr1" USR1; (exit 7)',
    );
    const { stdout } = await run('echo $?; pwd; sh -c "echo \\$X"; echo $Y; f 3; umask; kill -USR1 $$');
    expect(stdout).toBe('7\n/usr\n1\n2\nf 3\n0027\nusr1\n');
    expect((await run('q')).stdout).toBe('aliased\n');
    await run('trap - USR1; umask 022; cd');
  });

  it('keeps every byte, each stream apart, also through /dev/stderr', async () => {
    const { stdout, stderr } = await run(`printf 'a\\0\\377b'; echo x >/dev/stderr; printf 'no newline' >&2`);
    expect(stdout).toBe('a\0\xffb');
    expect(stderr).toBe('x\nno newline');
  });

  it.each([
    ['an unterminated quote', "echo 'x", { reason: 'exit', exitCode: 2 }, 'unexpected EOF'],
    ['a stray keyword', 'fi', { reason: 'exit', exitCode: 2 }, 'syntax error'],
    ['an unknown program', 'nosuchprogram', { reason: 'exit', exitCode: 127 }, 'command not found'],
  ])('says so for %s and goes on', async (_name, command, result, message) => {
    await run('Z=kept');
    const ran = await run(command);
    expect(ran.result).toMatchObject(result);
    expect(ran.stderr).toContain(message);
    expect((await run('{ echo $Z; }')).stdout).toBe('kept\n');
    expect((await run('if true; then echo $Z; fi')).stdout).toBe('kept\n');
  });

  it.each([
    ['exit 3', { reason: 'exit', exitCode: 3 }],
    ['set -e; false; echo no', { reason: 'exit', exitCode: 1 }],
    ['kill $$; sleep 5', { reason: 'signal', signal: 'TERM' }],
    ['kill -9 $$', { reason: 'signal', signal: 'KILL' }],
    ['exec sh', { reason: 'exit', exitCode: 0 }],
    ['exec sh -c "exit 4"', { reason: 'exit', exitCode: 4 }],
    ['trap "echo bye" EXIT; exit 5', { reason: 'exit', exitCode: 5 }],
  ])('ends with %s, and the next command gets a new shell', async (command, result) => {
    await run('OLD=1');
    expect((await run(command)).result).toMatchObject(result);
    const { stdout } = await run('echo "[$OLD]"; pwd');
    expect(stdout).toBe(`[]\n${host.workspace}\n`);
  });

  it('runs an EXIT trap with the streams of the command', async () => {
    expect((await run('trap "echo bye" EXIT; exit 5')).stdout).toBe('bye\n');
    const long = `: ${'x'.repeat(5_000)}; `;
    expect((await run(`${long}trap 'echo bye' EXIT; echo hi; exit`)).stdout).toBe('hi\nbye\n');
  });

  it('gives back its streams after exec >file', async () => {
    expect((await run('exec >hidden; echo to file')).stdout).toBe('');
    expect((await run('cat hidden; echo here')).stdout).toBe('to file\nhere\n');
  });

  it('ends when the command does, also while a background job holds its streams', async () => {
    const { stdout, result } = await run('sleep 1000 & echo hi');
    expect(stdout).toBe('hi\n');
    expect(result.durationMs).toBeLessThan(100_000);
    expect((await run('kill %1; wait 2>/dev/null; echo done')).stdout).toBe('done\n');
  });

  it('keeps what a background job still writes out of later commands', async () => {
    await run('mkfifo go; { read x <go; echo late; echo late >&2; } & true');
    for (const word of ['one', 'two', 'three']) {
      expect(await run(`echo ${word}; echo ${word} >&2`)).toMatchObject({
        stdout: `${word}\n`,
        stderr: `${word}\n`,
      });
    }
    expect(await run('echo >go; wait; echo end')).toMatchObject({ stdout: 'end\n', stderr: '' });
  });

  it('has its streams whatever a command before has done to its own', async () => {
    await run('chmod 000 /dev/stdout /dev/stderr');
    expect(await run('echo out; echo err >&2')).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });

  it('needs no more descriptors for many commands than for a few', async () => {
    const { pid } = await client.status();
    const open = (): number => readdirSync(`/proc/${pid}/fd`).length;
    const some = async (count: number): Promise<void> => {
      for (; count > 0; count--) await run('echo x; sleep 0.01 &');
      await run('wait');
    };
    await some(3);
    const before = open();
    await some(30);
    await eventually(async () => expect(open()).toBeLessThanOrEqual(before + 2));
  });

  it('has an empty input unless one is asked for', async () => {
    expect((await run('cat; read x || echo end')).stdout).toBe('end\n');
  });

  it('takes variables, a folder and a secret for one command alone', async () => {
    const { stdout } = await run('echo "$A"; printenv A; pwd; cat <&9', {
      env: { A: "it's\n$(b)" },
      cwd: '/usr',
      secret: 's3cret',
    });
    expect(stdout).toBe("it's\n$(b)\nit's\n$(b)\n/usr\ns3cret");
    expect((await run('echo "[$A]"; pwd; cat <&9 || true')).stdout).toBe(`[]\n${host.workspace}\n`);
  });

  it('refuses a folder that it cannot enter', async () => {
    const { result } = await run('echo no', { cwd: '/nonexistent' });
    expect(result).toMatchObject({ reason: 'refused', detail: expect.stringContaining('/nonexistent') as string });
    expect((await run('pwd')).stdout).toBe(`${host.workspace}\n`);
  });

  it('takes command lines of any length, with variables', async () => {
    const long = 'y'.repeat(300_000);
    const { stdout } = await run(`x='${long}'; echo \${#x} $A`, { env: { A: 'a' } });
    expect(stdout).toBe('300000 a\n');
    expect((await run('echo ${#x}')).stdout).toBe('300000\n');
  });

  it('runs a thousand queued commands in order', async () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `queued-${index}`);
    await run('n=0; sleep 0.2');
    await Promise.all(ids.map((id) => client.start(id, { shell: 'main', command: 'n=$((n+1)); echo $n' })));
    const last = await client.command('queued-999', { waitMs: 120_000 });
    expect(last.state).toBe('ended');
    expect((await run('echo $n')).stdout).toBe('1000\n');
  });

  it('leaves a command at its timeout and keeps its state', async () => {
    await run('cd /usr; V=kept; arr=(1 "2 3"); g() { echo g; }; set -o pipefail; alias r="echo r"; umask 077');
    for (const stuck of [
      'sleep 1000; echo bad',
      'while :; do :; done',
      'while true; do sleep 0.01; done\necho bad',
      'h() { sleep 1000; echo bad; }; h; echo bad',
      'cat <(sleep 1000); echo bad',
    ]) {
      const { result, stdout } = await run(`echo before; ${stuck}`, { timeoutMs: 150 });
      expect(result).toMatchObject({ reason: 'timeout', exitCode: null, signal: 'TERM' });
      expect(stdout).toBe('before\n');
    }
    const { stdout } = await run('pwd; echo "$V ${arr[1]}"; g; r; umask; set -o | grep pipefail');
    expect(stdout).toMatch(/^\/usr\nkept 2 3\ng\nr\n0077\npipefail +\ton\n$/);
    await run('cd; umask 022');
  });

  it('kills what ignores TERM after the grace, and keeps its state', async () => {
    await run('V=kept');
    const { result } = await run('trap "" TERM; sleep 1000; sleep 1000', { timeoutMs: 50, graceMs: 100 });
    expect(result).toMatchObject({ reason: 'timeout', signal: 'KILL' });
    expect((await run('echo $V; trap - TERM')).stdout).toBe('kept\n');
  });

  it('replaces a shell that does not leave its command', async () => {
    const { result } = await run('trap - RTMAX-1; while :; do :; done', { timeoutMs: 50, graceMs: 100 });
    expect(result).toMatchObject({ reason: 'timeout', signal: 'KILL' });
    expect((await run('echo new')).stdout).toBe('new\n');
  });

  it('sends signals to the processes of a command', async () => {
    const id = host.id();
    await client.start(id, {
      shell: 'main',
      command: `sh -c 'trap "echo got; exit 9" USR1; echo ready; while :; do sleep 0.01; done'`,
    });
    for await (const piece of client.output(id)) {
      if (piece.type === 'stdout' && piece.offset === 0) await client.signal(id, 'USR1');
      if (piece.type === 'end') expect(piece.status.result).toMatchObject({ reason: 'exit', exitCode: 9 });
    }
  });

  it('ends a command that is sent TERM, and not only the program that is running', async () => {
    const id = host.id();
    await client.start(id, { shell: 'main', command: 'V=x; echo ready; sleep 1000; echo bad; sleep 1000' });
    const seen: string[] = [];
    for await (const piece of client.output(id)) {
      if (piece.type === 'stdout') {
        seen.push(piece.bytes.toString());
        await client.signal(id, 'TERM');
      }
      if (piece.type === 'end') expect(piece.status.result).toMatchObject({ reason: 'signal', signal: 'TERM' });
    }
    expect(seen.join('')).toBe('ready\n');
    expect((await run('echo $V')).stdout).toBe('x\n');
  });
});
