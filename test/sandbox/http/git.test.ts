import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { commitCommand } from '../../../lib/sandbox/http/git/git-command';
import type { ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

const run = promisify(execFile);
const USER = 'x-access-token';
const PASSWORD = 'hunter2-secret';

let server: TestServer;
let api: ApiClient;
let box: string;
let forge: Awaited<ReturnType<typeof startForge>>;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`git-${randomUUID().slice(0, 8)}`);
  box = await api.sandbox();
  forge = await startForge();
});
afterAll(async () => {
  await server.close();
  await forge.close();
});

/** A forge of git's own: `git http-backend` behind a server that asks for the password of `private/…`. */
async function startForge() {
  const root = await mkdtemp(join(tmpdir(), 'forge-'));
  const asked: string[] = [];
  for (const name of ['public', 'private']) {
    const work = join(root, `${name}-work`);
    const bare = join(root, name, 'repo.git');
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'init.defaultBranch=main', ...args], {
        cwd: root,
      });
    await git('init', '-q', work);
    for (const n of ['1', '2']) await git('-C', work, 'commit', '-q', '--allow-empty', '-m', `commit ${n}`);
    await git('-C', work, 'branch', 'side');
    await git('clone', '-q', '--bare', work, bare);
    await git('-C', bare, 'config', 'http.receivepack', 'true');
  }
  const httpServer = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://forge');
    const given = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
    asked.push(`${request.method} ${url.pathname} ${given}`);
    if (url.pathname.startsWith('/private/') && given !== `${USER}:${PASSWORD}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end();
      return;
    }
    const backend = spawn('git', ['http-backend'], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: (request.headers['git-protocol'] as string | undefined) ?? '',
        REMOTE_USER: 'somebody',
      },
    });
    request.pipe(backend.stdin);
    const parts: Buffer[] = [];
    backend.stdout.on('data', (part: Buffer) => parts.push(part));
    backend.once('close', () => {
      const all = Buffer.concat(parts);
      const end = all.indexOf('\r\n\r\n');
      const headers = Object.fromEntries(
        all
          .subarray(0, end)
          .toString()
          .split('\r\n')
          .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      );
      response.writeHead(Number.parseInt(headers.Status ?? '200', 10), headers).end(all.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  return {
    origin,
    asked,
    root,
    close: async () => {
      httpServer.closeAllConnections();
      httpServer.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

const git = async (name: string, body: object) => api.ended(box, await api.post(`${box}/git/${name}`, body));

/** A folder name of its own for each test. */
const folder = (): string => `/workspace/repo-${randomUUID().slice(0, 8)}`;

const read = async (cmd: string, cwd: string): Promise<string> => (await api.run(box, { cmd, cwd })).result.stdout;

describe('clone', () => {
  test('whole, a branch, and with a depth', async () => {
    const [whole, branch, shallow] = [folder(), folder(), folder()];
    const url = `${forge.origin}/public/repo.git`;
    expect(await git('clone', { url, dest: whole })).toMatchObject({ kind: 'git_clone', status: 'done' });
    expect(await read('git log --format=%s', whole)).toBe('commit 2\ncommit 1\n');
    await git('clone', { url, dest: branch, branch: 'side' });
    expect(await read('git branch --show-current', branch)).toBe('side\n');
    expect(await git('clone', { url, dest: shallow, depth: 1, submodules: true })).toMatchObject({ status: 'done' });
    expect(await read('git log --format=%s', shallow)).toBe('commit 2\n');
  });

  test('a failure is the event’s, with what git says', async () => {
    const event = await git('clone', { url: `${forge.origin}/public/nothing.git`, dest: folder() });
    expect(event).toMatchObject({
      status: 'error',
      result: { exit_code: 128, stderr: expect.stringContaining('fatal') },
    });
  });

  test.each([
    ['in the URL', () => ({ url: `http://${USER}:${PASSWORD}@${forge.origin.slice(7)}/private/repo.git` })],
    ['apart', () => ({ url: `${forge.origin}/private/repo.git`, credentials: { username: USER, password: PASSWORD } })],
    ['as a token', () => ({ url: `${forge.origin}/private/repo.git`, credentials: { password: PASSWORD } })],
  ])('credentials %s open it, and are kept nowhere', async (_how, body) => {
    const dest = folder();
    const event = await git('clone', { ...body(), dest });
    expect(event).toMatchObject({ status: 'done', payload: { url: `${forge.origin}/private/repo.git`, dest } });
    expect(JSON.stringify(event)).not.toContain(PASSWORD);
    expect(await read('cat .git/config', dest)).not.toContain(PASSWORD);
    expect(await read(`grep -rl ${PASSWORD} . ~/.git-credentials ~/.config/git 2>/dev/null | cat`, dest)).toBe('');
    expect((await api.get('/audit?limit=100')).text).not.toContain(PASSWORD);
  });

  test('credentials are in no argument and no variable while git runs', async () => {
    // A helper that is configured in the sandbox must not get them either; this one looks around while it is asked.
    const dest = folder();
    const seen = `${dest}.seen`;
    const look = `for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; tr '\\0' ' ' <$p/environ; done 2>/dev/null`;
    const hook = `!f() { { ${look}; } | grep -c '${PASSWORD.slice(0, -1)}[t]' >${seen}; }; f`;
    await api.run(box, { argv: ['git', 'config', '--global', 'credential.helper', hook] });
    try {
      const wrong = await git('clone', {
        url: `${forge.origin}/private/repo.git`,
        dest,
        credentials: { password: PASSWORD },
      });
      expect(wrong.status).toBe('done');
      expect(await read(`cat ${seen} 2>/dev/null || echo not asked`, '/workspace')).toBe('not asked\n');
    } finally {
      await api.run(box, { argv: ['git', 'config', '--global', '--unset-all', 'credential.helper'] });
    }
  });

  test('wrong credentials end it, without a prompt', async () => {
    const event = await git('clone', {
      url: `${forge.origin}/private/repo.git`,
      dest: folder(),
      credentials: { password: 'wrong' },
    });
    expect(event).toMatchObject({ status: 'error', result: { timed_out: false } });
    expect(await git('clone', { url: `${forge.origin}/private/repo.git`, dest: folder() })).toMatchObject({
      status: 'error',
    });
  });

  test('credentials are not shown to another host', async () => {
    const other = await startForge();
    try {
      const dest = folder();
      await git('clone', { url: `${other.origin}/public/repo.git`, dest });
      await api.run(box, {
        argv: ['git', 'remote', 'set-url', 'origin', `${other.origin}/private/repo.git`],
        cwd: dest,
      });
      await git('pull', {
        path: dest,
        remote: `${forge.origin}/private/repo.git`,
        branch: 'main',
        credentials: { password: PASSWORD },
      });
      expect(forge.asked.join('\n')).toContain(PASSWORD);
      expect(other.asked.join('\n')).not.toContain(PASSWORD);
    } finally {
      await other.close();
    }
  });
});

describe('commit and the rest', () => {
  test('commit, status, diff, log, branch, checkout, push and pull', async () => {
    const path = folder();
    const url = `${forge.origin}/private/repo.git`;
    const credentials = { password: PASSWORD };
    await git('clone', { url, dest: path, credentials });
    await api.post(`${box}/fs`, { path: `${path}/a.txt`, content_b64: Buffer.from('one\n').toString('base64') });
    expect((await git('status', { path })).result.stdout).toContain('? a.txt');
    const committed = await git('commit', { cwd: path, message: 'it\'s $(touch /tmp/pwned) `x` "y"\n\nbody' });
    expect(committed).toMatchObject({ kind: 'git_commit', status: 'done' });
    const name = (await read('git config user.name || echo sandbox', path)).trim();
    expect(await read('git log -1 --format=%s%n%an', path)).toBe(`it's $(touch /tmp/pwned) \`x\` "y"\n${name}\n`);

    await api.post(`${box}/fs`, { path: `${path}/a.txt`, content_b64: Buffer.from('two\n').toString('base64') });
    await api.post(`${box}/fs`, { path: `${path}/b.txt`, content_b64: '' });
    expect((await git('diff', { path })).result.stdout).toMatch(/-one\n\+two/);
    const author = { name: 'Ada <x>', email: 'ada@example.com' };
    await git('commit', { path, message: 'only b', files: ['b.txt'], author });
    expect(await read('git log -1 --format=%an,%ae --name-only', path)).toBe('Ada x,ada@example.com\n\nb.txt\n');
    expect((await git('log', { path, limit: 1 })).result.stdout).toContain('only b');
    expect((await git('checkout', { path, files: ['a.txt'] })).status).toBe('done');
    expect(await read('cat a.txt', path)).toBe('one\n');

    expect((await git('checkout', { path, ref: 'feature', create: true })).status).toBe('done');
    expect((await git('branch', { path })).result.stdout).toContain('* feature');
    expect((await git('branch', { path, name: 'spare', from: 'main' })).status).toBe('done');
    expect((await git('branch', { path, name: 'spare', delete: true })).status).toBe('done');
    expect(await git('push', { path, set_upstream: true, credentials })).toMatchObject({ status: 'done' });
    expect(
      (await run('git', ['-C', join(forge.root, 'private', 'repo.git'), 'log', '-1', '--format=%s', 'feature'])).stdout,
    ).toBe('only b\n');

    const second = folder();
    await git('clone', { url, dest: second, branch: 'feature', credentials });
    await git('commit', { path, message: 'empty', allow_empty: true });
    await git('push', { path, credentials });
    expect(await git('pull', { path: second, credentials })).toMatchObject({ status: 'done' });
    expect(await read('git log -1 --format=%s', second)).toBe('empty\n');
  });

  test('a commit needs no identity', async () => {
    const path = folder();
    const script = 'unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL; export HOME=/nowhere GIT_CONFIG_NOSYSTEM=1; exec "$@"';
    await api.run(box, { argv: ['git', 'init', '-q', path] });
    await api.post(`${box}/fs`, { path: `${path}/a`, content_b64: '' });
    // The very command of the route, in a home without any configuration.
    const command = commitCommand('first', ['.'], false).argv;
    const event = await api.run(box, { argv: ['sh', '-c', script, 'sh', ...command], cwd: path });
    expect(event).toMatchObject({ status: 'done' });
    expect(await read('git log -1 --format=%an,%ae,%cn', path)).toBe('sandbox,sandbox@localhost,sandbox\n');
  });

  test('nothing to commit is an error of git’s', async () => {
    const path = folder();
    await git('clone', { url: `${forge.origin}/public/repo.git`, dest: path });
    expect(await git('commit', { path, message: 'x' })).toMatchObject({ status: 'error', result: { exit_code: 1 } });
  });
});

describe('attacks', () => {
  const evil = [
    '--upload-pack=touch /tmp/pwned',
    '-x',
    'ext::sh -c touch% /tmp/pwned',
    '-oProxyCommand=touch /tmp/pwned:x',
  ];

  test.each<[string, object, string]>([
    ...evil.map((url): [string, object, string] => ['clone', { url }, 'url']),
    ['clone', { url: 'file:///x', branch: '--upload-pack=touch /tmp/pwned' }, 'branch'],
    ['clone', { url: 'file:///x', depth: '1' }, 'depth'],
    ['clone', { url: 'https://a/b', credentials: { password: 'a\nhost=evil' } }, 'credentials.password'],
    ['clone', { url: 'ssh://git@a/b', credentials: { password: 'a' } }, 'credentials'],
    ['commit', { message: '' }, 'message'],
    ['commit', { message: 'a\0b' }, 'message'],
    ['commit', { message: 'x', files: 'a' }, 'files'],
    ['commit', { message: 'x', author: { name: 'a\nb', email: 'x' } }, 'author.name'],
    ['diff', { ref: '--output=/tmp/pwned' }, 'ref'],
    ['log', { ref: '--output=/tmp/pwned' }, 'ref'],
    ['checkout', { ref: '--orphan' }, 'ref'],
    ['checkout', {}, 'ref'],
    ['branch', { name: '-D' }, 'name'],
    ['branch', { delete: true }, 'name'],
    ['push', { remote: '--receive-pack=touch /tmp/pwned' }, 'remote'],
    ['push', { remote: 'ext::sh -c touch% /tmp/pwned' }, 'remote'],
    ['push', { branch: '--receive-pack=x' }, 'branch'],
    ['pull', { remote: '--upload-pack=x' }, 'remote'],
    ['status', { path: 'a\0b' }, 'path'],
    ['status', { path: '/a', cwd: '/b' }, 'cwd'],
  ])('git %s with %j names the field', async (name, body, field) => {
    const { status, json } = await api.post(`${box}/git/${name}`, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: 'bad_request', field });
  });

  test('names of files are never options or patterns', async () => {
    const path = folder();
    await git('clone', { url: `${forge.origin}/public/repo.git`, dest: path });
    for (const name of ['--help', ':(exclude)x', '*']) {
      await api.post(`${box}/fs`, { path: `${path}/${name}`, content_b64: '' });
    }
    await api.post(`${box}/fs`, { path: `${path}/not-this`, content_b64: '' });
    const event = await git('commit', { path, message: 'odd', files: ['--help', ':(exclude)x', '*'] });
    expect(event).toMatchObject({ status: 'done' });
    expect((await read('git show --format= --name-only', path)).trim().split('\n').sort()).toEqual([
      '*',
      '--help',
      ':(exclude)x',
    ]);
  });

  test('a submodule can’t run a helper program', async () => {
    const path = folder();
    await git('clone', { url: `${forge.origin}/public/repo.git`, dest: path });
    const module = '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/sandbox-pwned\n';
    await api.post(`${box}/fs`, { path: `${path}/.gitmodules`, content_b64: Buffer.from(module).toString('base64') });
    const gitlink = 'git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),x && git add .gitmodules';
    const commit = 'git -c user.name=a -c user.email=a@b commit -qm submodule';
    expect(await api.run(box, { cmd: `${gitlink} && ${commit}`, cwd: path })).toMatchObject({ status: 'done' });
    const url = `file://${(await read('pwd', path)).trim()}`;
    const event = await git('clone', { url, dest: folder(), submodules: true });
    expect(event.result.stderr).toMatch(/transport 'ext' not allowed/);
    expect(await read('ls /tmp/sandbox-pwned 2>&1', '/workspace')).toContain('No such file');
  });
});
