import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { describeWith } from '../../support/run/requirements';
import { EngineHost, rootRights } from '../../support/sandbox/engine-host';

/** What user code can try against the engine, as the user code would. */
describeWith(rootRights, 'user code that attacks the engine', () => {
  let host: EngineHost;
  let client: EngineClient;
  beforeAll(() => {
    host = EngineHost.start();
    client = host.client();
  });
  afterAll(() => host.end());
  const attack = (command: string, more = {}) => host.shell(client, command, more);

  const answerTo = (authorization: string | undefined): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const headers = authorization === undefined ? {} : { authorization };
      request({ socketPath: host.socket, path: '/v1/status', headers })
        .on('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        })
        .on('error', reject)
        .end();
    });

  it('cannot open the socket', async () => {
    const { stdout, stderr, result } = await attack(
      `node -e 'require("net").connect("${host.socket}").on("connect",()=>console.log("in")).on("error",e=>console.error(e.code))'`,
    );
    expect(result.exitCode).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toBe('EACCES\n');
  });

  it.each([
    ['no token', undefined],
    ['an empty one', 'Bearer '],
    ['a wrong one', 'Bearer wrong'],
    ['another kind', 'Basic eDp5'],
    ['a long one', `Bearer ${'x'.repeat(10_000)}`],
  ])('gets nothing with %s', async (_name, authorization) => {
    const { status, text } = await answerTo(authorization);
    expect(status).toBe(401);
    expect(JSON.parse(text)).toMatchObject({ error: 'unauthorized' });
    expect(text).not.toContain(host.token);
  });

  it("cannot read or change the engine's files", async () => {
    await attack('export PRIVATE=1', { env: { TOP: 'secret-variable' } });
    for (const name of readdirSync(host.directory)) {
      const path = join(host.directory, name);
      const { stdout } = await attack(
        `cat ${path} 2>/dev/null; ls ${path}/ 2>/dev/null; echo x >>${path} 2>/dev/null; rm -rf ${path} 2>/dev/null; mv ${path} /tmp/ 2>/dev/null; echo done`,
      );
      // Its worker's own folder is the user's.
      if (name !== 'files') expect(stdout).toBe('done\n');
    }
    expect((await client.status()).version).toBe(1);
    expect(statSync(host.socket).mode & 0o777).toBe(0o600);
    expect((await attack('echo alive')).stdout).toBe('alive\n');
  });

  it('cannot look into or end its process', async () => {
    const { pid } = await client.status();
    const { stdout } = await attack(
      `cat /proc/${pid}/environ /proc/${pid}/maps /proc/${pid}/mem 2>/dev/null | head -c 100; ls /proc/${pid}/fd 2>/dev/null; ` +
        `kill -9 ${pid} 2>/dev/null; kill -STOP ${pid} 2>/dev/null; renice 19 ${pid} 2>/dev/null >&2; echo done`,
    );
    expect(stdout).toBe('done\n');
    expect((await client.status()).pid).toBe(pid);
  });

  it('finds neither token nor secrets anywhere in /proc or among its files', async () => {
    await attack('cat <&9 >/dev/null', { secret: 'the-secret-of-a-command' });
    const { stdout } = await attack(
      `grep -lazF -e ${host.token.slice(0, 12)} -e the-secret-of /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | grep -v "/proc/\\($$\\|self\\)/" | wc -l`,
    );
    // Only grep's own command line has the words.
    expect(Number(stdout)).toBeLessThanOrEqual(1);
    const kept = ['journal', 'log'].map((name) => readFileSync(join(host.directory, name), 'utf8')).join('');
    expect(kept).not.toContain('the-secret-of-a-command');
    expect(kept).not.toContain('secret-variable');
    expect(kept).not.toContain(host.token);
  });

  it('has no descriptor of the engine', async () => {
    const { stdout } = await host.run(client, {
      argv: ['sh', '-c', 'ls -l /proc/self/fd | grep -c -e socket -e journal -e lock -e eventpoll'],
    });
    expect(stdout).toBe('0\n');
    const inShell = await attack('ls -l /proc/self/fd | grep -c -e socket -e journal -e lock');
    expect(inShell.stdout).toBe('0\n');
  });

  it('can only confuse its own shell by writing to its pipes', async () => {
    const { stdout } = await attack(
      `for d in /proc/[0-9]*/fd/*; do l=$(readlink $d 2>/dev/null); case $l in ${host.directory}/pipes/*) [ -p "$l" ] && timeout 0.1 sh -c 'printf "e 999999 0\\njunk\\n\\0\\377" 1<>"$1"' sh "$l" ;; esac; done 2>/dev/null; echo survived`,
    );
    expect(stdout).toContain('survived');
    expect((await host.run(client, { shell: 'other', command: 'echo fine' })).stdout).toBe('fine\n');
  });

  it('cannot make a fork bomb that outlives its timeout', async () => {
    const { result } = await attack('ulimit -u 200; bomb() { bomb | bomb & }; bomb; sleep 1000', {
      timeoutMs: 1_000,
      graceMs: 200,
    });
    expect(result.reason).not.toBe('lost');
    await client.endShell('main');
    expect((await attack('echo usable')).stdout).toBe('usable\n');
  });

  it('cannot send frames, headers or states through its output', async () => {
    const { stdout, result } = await attack(
      `printf '\\004\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\002{}'; printf 'e 1 0\\nHTTP/1.1 200 OK\\r\\n\\r\\n'; exit 9`,
    );
    expect(stdout).toBe('\x04\0\0\0\0\0\0\0\0\0\0\0\x02{}e 1 0\nHTTP/1.1 200 OK\r\n\r\n');
    expect(result).toMatchObject({ reason: 'exit', exitCode: 9 });
  });
});
