import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { eventually } from '../../support/run/eventually';
import { describeWith, mountRights } from '../../support/run/requirements';
import { EngineHost, rootRights } from '../../support/sandbox/engine-host';

describeWith([rootRights, mountRights], 'files of a sandbox', () => {
  let host: EngineHost;
  let client: EngineClient;
  beforeAll(() => {
    host = EngineHost.start();
    client = host.client();
  });
  afterAll(() => host.end());
  const at = (name: string): string => join(host.workspace, name);
  const put = (name: string, text: string | Buffer, mode?: number) =>
    client.write(at(name), Readable.from([Buffer.from(text)]), mode === undefined ? {} : { mode });
  const get = async (name: string, range = {}) =>
    (await buffer((await client.read(at(name), range)).data)).toString('latin1');
  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  };

  it('writes and reads any bytes, as the user, with folders made', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));
    const status = await put('a/b/file', bytes);
    expect(status).toMatchObject({
      name: 'file',
      path: at('a/b/file'),
      type: 'file',
      size: 70_000,
      mode: 0o644,
      uid: 1000,
    });
    expect(await get('a/b/file')).toBe(bytes.toString('latin1'));
    expect(await get('a/b/file', { start: 10, end: 19 })).toBe(bytes.subarray(10, 20).toString('latin1'));
    expect((await client.read(at('a/b/file'))).status.size).toBe(70_000);
    await expect(client.read(at('a/b/file'), { start: 70_000 })).rejects.toMatchObject({
      code: 'range_not_satisfiable',
    });
  });

  it('takes relative paths from the workspace', async () => {
    await client.write('relative', Readable.from(['x']));
    expect(await get('relative')).toBe('x');
  });

  it('says that the disk is full, and leaves nothing behind', async () => {
    mkdirSync(at('small'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=777', 'tmpfs', at('small')]);
    try {
      await expect(put('small/large', Buffer.alloc(8 * 1024 * 1024))).rejects.toMatchObject({ code: 'no_space' });
      expect(readdirSync(at('small'))).toEqual([]);
    } finally {
      execFileSync('umount', [at('small')]);
    }
  });

  it('keeps the mode of a file that is written again, and writes through a link', async () => {
    await put('script', 'one', 0o755);
    symlinkSync('script', at('to-script'));
    await put('to-script', 'two');
    expect(statSync(at('script')).mode & 0o7777).toBe(0o755);
    expect(readFileSync(at('script'), 'utf8')).toBe('two');
    expect((await client.stat(at('to-script'))).type).toBe('link');
  });

  it('leaves the old content when an upload is cut off', async () => {
    await put('cut', 'old');
    const data = new PassThrough();
    const written = client.write(at('cut'), data);
    data.write(Buffer.alloc(100_000, 'n'));
    await eventually(async () =>
      expect(readdirSync(host.workspace).filter((name) => name.startsWith('.upload-'))).toHaveLength(1),
    );
    data.destroy(new Error('the sender is gone'));
    await expect(written).rejects.toThrow('the sender is gone');
    await eventually(async () =>
      expect(readdirSync(host.workspace).filter((name) => name.startsWith('.upload-'))).toHaveLength(0),
    );
    expect(await get('cut')).toBe('old');
  });

  it('lists, moves, changes modes and removes', async () => {
    await client.makeDirectory(at('tree/one'), { parents: true, mode: 0o700 });
    await put('tree/one/x', '1');
    await put('tree/new\nline', '2');
    expect((await client.list(at('tree'))).map(({ name, type }) => `${name}:${type}`)).toEqual([
      'new\nline:file',
      'one:directory',
    ]);
    await client.move(at('tree/new\nline'), at('moved/here'));
    expect(await get('moved/here')).toBe('2');
    await expect(client.move(at('moved/here'), at('tree/one/x'))).rejects.toMatchObject({ code: 'file_exists' });
    await client.move(at('moved/here'), at('tree/one/x'), { overwrite: true });
    await client.changeMode(at('tree'), 0o700, { recursive: true });
    expect((await client.stat(at('tree/one/x'))).mode).toBe(0o700);
    await expect(client.remove(at('tree'))).rejects.toMatchObject({ code: 'directory_not_empty' });
    await client.remove(at('tree'), { recursive: true });
    await expect(client.stat(at('tree'))).rejects.toMatchObject({ code: 'file_not_found' });
  });

  it.each([
    ['file_not_found', 'missing', undefined],
    ['is_a_directory', '.', undefined],
    ['bad_request', 'nul\0', undefined],
    ['bad_request', 'x'.repeat(300), undefined],
    ['bad_request', '/dev/zero', undefined],
    ['permission_denied', '/etc/shadow', undefined],
    ['not_a_directory', '/etc/passwd/x', undefined],
  ])('answers %s', async (code, path) => {
    await expect(client.read(path)).rejects.toMatchObject({ code, name: 'SandboxError' });
  });

  it('ends a circle of links', async () => {
    symlinkSync('circle-b', at('circle-a'));
    symlinkSync('circle-a', at('circle-b'));
    await expect(client.read(at('circle-a'))).rejects.toMatchObject({ code: 'bad_request' });
    expect((await client.stat(at('circle-a'))).target).toBe('circle-b');
  });

  it("has the user's rights and no more, wherever a link leads", async () => {
    const secret = join(host.folder, 'secret');
    writeFileSync(secret, 'secret', { mode: 0o600 });
    mkdirSync(join(host.folder, 'closed'), { mode: 0o700 });
    symlinkSync(secret, at('to-secret'));
    await expect(client.read(at('to-secret'))).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(client.write(at('to-secret'), Readable.from(['x']))).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(client.write(join(host.folder, 'closed/x'), Readable.from(['x']))).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(client.remove(secret)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(client.read(join(host.directory, 'token.sha256'))).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await expect(client.list(host.directory)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('packs and unpacks', async () => {
    await put('pack/one', '1', 0o755);
    await put('pack/sub/two', '2');
    symlinkSync('one', at('pack/link'));
    for (const gzip of [false, true]) {
      const archive = await client.pack(at('pack'), { gzip });
      await client.unpack(at('unpacked'), archive, { gzip });
      expect(execFileSync('diff', ['-r', at('pack'), at('unpacked')]).toString()).toBe('');
      await client.remove(at('unpacked'), { recursive: true });
    }
    await expect(client.unpack(at('bad'), Readable.from([Buffer.alloc(5000, 'x')]))).rejects.toMatchObject({
      code: 'bad_request',
    });
  });

  it('unpacks nothing outside the folder', async () => {
    const evil = join(host.folder, 'evil');
    mkdirSync(evil);
    mkdirSync(join(host.folder, 'outside'));
    chmodSync(join(host.folder, 'outside'), 0o777);
    chmodSync(host.folder, 0o777);
    writeFileSync(join(evil, 'x'), 'x');
    const make = (...args: string[]): Buffer => execFileSync('tar', ['-C', evil, '-cPf', '-', ...args]);
    const dots = make('--transform', 's,^,../outside/,', 'x');
    await client.unpack(at('into'), Readable.from([dots])).catch(() => undefined);
    symlinkSync(join(host.folder, 'outside'), join(evil, 'link'));
    const through = execFileSync('sh', [
      '-c',
      'tar -C "$1" -cPf "$1/a.tar" link && rm "$1/link" && mkdir "$1/link" && touch "$1/link/y" && tar -C "$1" -rPf "$1/a.tar" link/y && cat "$1/a.tar"',
      'sh',
      evil,
    ]);
    await client.unpack(at('into'), Readable.from([through])).catch(() => undefined);
    const absolute = make('--transform', `s,^,${host.folder}/outside/,`, 'x');
    await client.unpack(at('into'), Readable.from([absolute])).catch(() => undefined);
    expect(readdirSync(join(host.folder, 'outside'))).toEqual([]);
    chmodSync(host.folder, 0o755);
  });

  it('watches a tree', async () => {
    await client.makeDirectory(at('watched'));
    const seen: string[] = [];
    const abort = new AbortController();
    const watching = (async () => {
      for await (const { type, path } of client.watch(at('watched'), { recursive: true, signal: abort.signal })) {
        seen.push(`${type} ${path.slice(at('watched').length + 1)}`);
        if (type === 'removed') break;
      }
    })();
    // The first change that is seen says that the watch has begun.
    await eventually(async () => {
      await put('watched/first', String(seen.length));
      expect(seen).toContain('created first');
    });
    await put('watched/sub/deep', 'x');
    await eventually(async () => expect(seen).toContain('created sub/deep'));
    await client.remove(at('watched/sub/deep'));
    await watching;
    expect(seen.at(-1)).toBe('removed sub/deep');
  });

  it('searches by name and by content', async () => {
    await put('search/a.ts', 'one\nTwo words\n');
    await put('search/sub/b.ts', 'two\n');
    await put('search/sub/c.js', 'two\n');
    await put('search/binary', Buffer.from('two\0'));
    const names = async (what: object) =>
      (await all(client.search(at('search'), what))).map(({ path, line, text }) => [
        path.slice(at('search').length + 1),
        line,
        text,
      ]);
    expect(await names({ name: '*.ts' })).toEqual([
      ['a.ts', undefined, undefined],
      ['sub/b.ts', undefined, undefined],
    ]);
    expect(await names({ name: 'sub/*.{js,ts}' })).toEqual([
      ['sub/b.ts', undefined, undefined],
      ['sub/c.js', undefined, undefined],
    ]);
    expect(await names({ content: '^two' })).toEqual([
      ['sub/b.ts', 1, 'two'],
      ['sub/c.js', 1, 'two'],
    ]);
    expect(await names({ content: 'two', ignoreCase: true, name: '*.ts' })).toEqual([
      ['a.ts', 2, 'Two words'],
      ['sub/b.ts', 1, 'two'],
    ]);
    expect(await names({ content: 't', limit: 1 })).toHaveLength(1);
    await expect(all(client.search(at('search'), { content: '(' }))).rejects.toMatchObject({ code: 'bad_request' });
    await expect(all(client.search(at('missing'), { name: 'x' }))).rejects.toMatchObject({ code: 'file_not_found' });
  });

  it('answers others while a search with a hopeless expression runs, and ends it with its reader', async () => {
    await put('hopeless', `${'a'.repeat(60)}!`);
    const abort = new AbortController();
    const search = all(client.search(at('hopeless'), { content: '^(a+)+$' }, { signal: abort.signal }));
    expect((await client.stat(at('hopeless'))).size).toBe(61);
    abort.abort();
    await expect(search).rejects.toThrow();
  });

  it('goes on after user code has killed the worker', async () => {
    await put('kept', 'x');
    const { stdout } = await host.shell(
      client,
      `for d in /proc/[0-9]*; do grep -qzF ${host.directory}/files/ $d/cmdline 2>/dev/null && kill -9 \${d#/proc/} && echo killed; done`,
    );
    expect(stdout).toBe('killed\n');
    await eventually(async () => expect(await get('kept')).toBe('x'));
  });
});
