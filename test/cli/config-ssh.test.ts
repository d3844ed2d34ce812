import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { promisify } from 'node:util';
import type { Host } from '../../lib/hosts/model/types';
import { CLI_WORDS, CliHome } from '../support/cli/cli-program';
import { CliLocal, localHosts, START_UP } from '../support/cli/cli-local';
import { ROOT } from '../support/run/paths';
import { describeWith, program } from '../support/run/requirements';

const run = promisify(execFile);

interface Written {
  readonly file: string;
  readonly included: string;
  readonly changed: boolean;
  readonly hosts: readonly string[];
}

describe('config ssh', () => {
  let home: CliHome;
  let file: string;
  beforeEach(() => {
    home = new CliHome();
    file = home.path('home/.ssh/config');
  });
  afterEach(() => home.remove());

  test('makes a file that only its owner can read, and leaves nothing in it afterwards', async () => {
    const written = await home.json<Written>(['config', 'ssh']);
    expect(written).toMatchObject({ file, changed: true, hosts: [] });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(written.included).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(`\nInclude ${written.included}\n`);
    expect(await home.json(['config', 'ssh'])).toMatchObject({ changed: false });
    expect(await home.json(['config', 'ssh', '--remove'])).toMatchObject({ changed: true, removed: true });
    expect(readFileSync(file, 'utf8')).toBe('');
    expect(existsSync(written.included)).toBe(false);
    expect(await home.json(['config', 'ssh', '--remove'])).toMatchObject({ changed: false });
  });

  test('leaves every byte of the user, the mode and the link as they are', async () => {
    mkdirSync(home.path('home/.ssh'), { mode: 0o700 });
    const text = Buffer.from('Host mine\r\n  User \xff\xe9\r\n  Port 2222', 'latin1');
    writeFileSync(file, text);
    chmodSync(file, 0o640);
    renameSync(file, home.path('dotfiles'));
    symlinkSync(home.path('dotfiles'), file);
    expect((await home.run(['config', 'ssh'])).exitCode).toBe(0);
    expect(readFileSync(file).subarray(-text.length).equals(text)).toBe(true);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect((await home.run(['config', 'ssh', '--remove'])).exitCode).toBe(0);
    expect(readFileSync(file).equals(text)).toBe(true);
  });

  test('writes nothing when it is only asked what it would do, or the markers are broken', async () => {
    const dry = await home.run(['config', 'ssh', '--dry-run']);
    expect(dry.stdout).toMatch(/^would write into .*\nInclude /);
    expect(existsSync(file)).toBe(false);
    mkdirSync(home.path('home/.ssh'), { mode: 0o700 });
    writeFileSync(file, '# BEGIN mngr-fargate\nHost a\n');
    const { exitCode, stderr } = await home.run(['config', 'ssh']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('exactly one');
    expect(readFileSync(file, 'utf8')).toBe('# BEGIN mngr-fargate\nHost a\n');
  });
});

describeWith(
  [...localHosts, ...['scp', 'rsync'].map(program)],
  "the system's ssh with hosts whose port 22 is closed",
  () => {
    let local: CliLocal;
    let file: string;
    beforeAll(async () => {
      local = await CliLocal.start();
      file = local.home.path('home/.ssh/config');
    }, START_UP);
    afterAll(() => local.stop());

    /** ssh looks for its configuration in the home of the user database, which is none of a test's. */
    const tool = (name: string, ...words: string[]) =>
      run(name, name === 'rsync' ? ['-e', `ssh -F ${file}`, ...words] : ['-F', file, ...words], {
        env: local.home.env(),
        timeout: 120_000,
      });

    test(
      'ssh, scp and rsync work by name, for hosts created before and after',
      async () => {
        const { home } = local;
        const early = await home.json<Host>(['create', 'early']);
        expect(await home.json(['config', 'ssh'])).toMatchObject({ changed: true, hosts: ['early'] });
        const late = await home.json<Host>(['create', 'late']);

        for (const [name, host] of [
          ['early', early],
          ['late', late],
          [late.hostId, late],
        ] as const) {
          const { stdout } = await tool('ssh', name, 'echo "$MNGR_FARGATE_HOST_ID $USER" || true; hostname');
          expect([name, stdout.length > 0]).toEqual([name, true]);
          const settings = (await tool('ssh', '-G', name)).stdout;
          expect(settings).toContain(`\nhostname ${host.hostId}\n`);
          expect(settings).toContain('\nstricthostkeychecking true\n');
        }
        writeFileSync(home.path('one'), 'text\u0000');
        await tool('scp', home.path('one'), 'late:/root/one');
        await tool('rsync', '-a', 'late:/root/one', home.path('back'));
        expect(readFileSync(home.path('back'), 'utf8')).toBe('text\u0000');

        // mngr's ssh provider is given the ids as well, after a login through Session Manager.
        const synced = await home.json<{ readonly hosts: readonly { readonly address: string }[] }>(['mngr', 'sync']);
        expect(synced.hosts.map(({ address }) => address).sort()).toEqual([early.hostId, late.hostId].sort());

        // Another key than the pinned one ends the connection.
        const { knownHostsFile } = late;
        const pinned = readFileSync(knownHostsFile ?? '', 'utf8');
        const other = readFileSync(early.knownHostsFile ?? '', 'utf8')
          .split(' ')
          .slice(1)
          .join(' ');
        writeFileSync(knownHostsFile ?? '', `${late.hostId} ${other}`);
        await expect(tool('ssh', 'late', 'true')).rejects.toMatchObject({
          stderr: expect.stringContaining('IDENTIFICATION HAS CHANGED') as string,
        });
        writeFileSync(knownHostsFile ?? '', pinned);

        expect((await home.run(['rename', 'late', 'later'])).exitCode).toBe(0);
        expect((await tool('ssh', '-G', 'later')).stdout).toContain(`\nhostname ${late.hostId}\n`);
        expect((await home.run(['destroy', 'early', 'later', '--yes'])).exitCode).toBe(0);
        expect((await tool('ssh', '-G', 'later')).stdout).toContain('\nhostname later\n');
      },
      START_UP,
    );

    test("ssh-proxy carries ssh to any task's own SSH server, by its options", async () => {
      const { home } = local;
      const fox = await home.json<Host>(['create', 'fox']);
      const proxy = [process.execPath, ...CLI_WORDS, 'ssh-proxy', '--task', fox.taskArn, '%p'].join(' ');
      const settings = [
        `ProxyCommand=${proxy}`,
        `UserKnownHostsFile=${fox.knownHostsFile}`,
        `HostKeyAlias=${fox.hostId}`,
      ];
      const words = ['-F', '/dev/null', '-i', fox.identityFile ?? '', ...settings.flatMap((one) => ['-o', one])];
      const { stdout } = await run('ssh', [...words, 'root@anything', 'echo "$((6 * 7))"'], {
        cwd: ROOT,
        env: home.env(),
        timeout: 120_000,
      });
      expect(stdout).toBe('42\n');
      const bad = await home.run(['ssh-proxy', '--task', fox.taskArn, '70000']);
      expect(bad).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is not a port') as string });
      const onHost = await home.run(['ssh-proxy', 'fox', '2222']);
      expect(onHost).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('port 22 alone') as string });
      expect((await home.run(['destroy', 'fox', '--yes'])).exitCode).toBe(0);
    });
  },
);
