import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { isHostId, isHostName } from '../../lib/contract/host-name';
import { bootAsProcesses, makeTestFolder, startEntrypoint } from '../support/host/container-host';
import { ssh } from '../support/host/container-ssh';
import { describeWith, program } from '../support/run/requirements';

const needs = ['sshd', 'ssh', 'ssh-keygen', 'tmux', 'jq', 'openssl', 'curl'].map(program);

describeWith(needs, 'settings at boot', () => {
  const keys = mkdtempSync(join(tmpdir(), 'mngr-keys-'));
  const made = (name: string, ...options: string[]): string => {
    const file = join(keys, name);
    execFileSync('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', file, ...options]);
    return readFileSync(`${file}.pub`, 'utf8').trim();
  };
  const ed25519 = made('one', '-t', 'ed25519');
  const second = made('two', '-t', 'ed25519');
  const blob = ed25519.split(' ')[1] as string;
  let folder: string;
  beforeAll(async () => {
    folder = await makeTestFolder();
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await rm(keys, { recursive: true, force: true });
  });

  /** Runs a boot that must fail. */
  async function failedBoot(settings: Record<string, string>): Promise<{ code: number; output: string }> {
    const main = startEntrypoint({
      MNGR_ROOT: mkdtempSync(join(folder, 'r')),
      MNGR_SSH_LISTEN_ADDRESS: '127.0.0.1',
      MNGR_SSH_PORT: '1',
      MNGR_SSH_PUBLIC_KEY: ed25519,
      ...settings,
    });
    return { code: await main.exitCode, output: main.output() };
  }

  describe('public keys that end the boot with code 77', () => {
    const privateKey = readFileSync(join(keys, 'one'), 'utf8');
    const notAKey: [string, string][] = [
      ['nothing', ''],
      ['blanks', '  \n '],
      ['a word', 'hunter2'],
      ['a type alone', 'ssh-ed25519'],
      ['a key cut off', ed25519.slice(0, 60)],
      ['a blob without its type', blob],
      ['another type than the blob has', `ssh-rsa ${blob}`],
      ['a private key', privateKey],
      ['options before the key', `command="touch /tmp/x" ${ed25519}`],
      ['no-pty before the key', `no-pty ${ed25519}`],
      ['a certificate authority', `cert-authority ${ed25519}`],
      ['two keys', `${ed25519}\n${second}`],
      ['control characters in the comment', `${ed25519}\u001b[31m`],
      ['an RSA key of 1024 bits', made('rsa', '-t', 'rsa', '-b', '1024')],
    ];

    it.each(notAKey)('in MNGR_SSH_PUBLIC_KEY: %s', async (_name, value) => {
      const { code, output } = await failedBoot({ MNGR_SSH_PUBLIC_KEY: value });
      expect(code).toBe(77);
      expect(output).toMatch(/^mngr: MNGR_SSH_PUBLIC_KEY .*\n$/);
      expect(output).not.toContain(value.trim().split('\n')[1] ?? 'hunter2');
    });

    const lines = notAKey.filter(([name]) => !['nothing', 'blanks', 'two keys'].includes(name));
    it.each(lines)('in the second line of MNGR_EXTRA_AUTHORIZED_KEYS: %s', async (_name, value) => {
      const { code, output } = await failedBoot({ MNGR_EXTRA_AUTHORIZED_KEYS: `${second}\n${value}` });
      expect(code).toBe(77);
      expect(output).toContain('line 2 of MNGR_EXTRA_AUTHORIZED_KEYS is ');
    });
  });

  it('takes keys of every type, with Windows line ends, comments and blank lines', async () => {
    const others = [
      made('rsa3072', '-t', 'rsa', '-b', '3072'),
      made('nistp256', '-t', 'ecdsa', '-b', '256'),
      made('nistp521', '-t', 'ecdsa', '-b', '521'),
    ];
    const extra = [second, '', '# the team', ...others].join('\r\n');
    const host = await bootAsProcesses(folder)({
      MNGR_SSH_PUBLIC_KEY: `${ed25519}\n`,
      MNGR_EXTRA_AUTHORIZED_KEYS: extra,
    });
    expect(await host.readFile('/root/.ssh/authorized_keys')).toBe(`${[ed25519, second, ...others].join('\n')}\n`);
    for (const name of ['one', 'two', 'rsa3072', 'nistp256', 'nistp521']) {
      expect(await ssh({ ...host, clientKeyFile: join(keys, name) }, 'true')).toMatchObject({ code: 0 });
    }
    await host.remove();
  });

  it.each([
    ['MNGR_HOST_NAME', 'a.b'],
    ['MNGR_HOST_NAME', '-a'],
    ['MNGR_HOST_NAME', 'a'.repeat(64)],
    ['MNGR_PROVIDER', 'a b'],
    ['MNGR_HOST_DIR', 'mngr'],
    ['MNGR_HOST_DIR', '/'],
    ['MNGR_HOST_DIR', '/a/../b'],
    ['MNGR_HOST_DIR', '/a"b'],
    ['MNGR_HOST_DIR', '/$(reboot)'],
    ['MNGR_ROOT', 'relative'],
    ['MNGR_ROOT', `/tmp/${'long/'.repeat(30)}`],
    ['MNGR_BOOT_NONCE', ''],
    ['MNGR_BOOT_NONCE', 'abc'],
    ['MNGR_BOOT_NONCE', 'g'.repeat(64)],
    ['MNGR_BOOT_LEASE_SECONDS', '-1'],
    ['MNGR_BOOT_LEASE_SECONDS', '1.5'],
    ['MNGR_BOOT_LEASE_SECONDS', '010'],
    ['MNGR_IDLE_TIMEOUT_SECONDS', 'never'],
    ['MNGR_MAX_HOST_AGE_SECONDS', '0'],
    ['MNGR_WATCHDOG_INTERVAL_SECONDS', '0'],
    ['MNGR_WATCHDOG_INTERVAL_SECONDS', '0.5'],
    ['MNGR_WATCHDOG_BUSY_PERCENT', 'none'],
    ['MNGR_USER_TAGS', '{"a":1}'],
    ['MNGR_USER_TAGS', '["a"]'],
    ['MNGR_USER_TAGS', '{} {}'],
    ['MNGR_USER_TAGS', '{"a":'],
    ['MNGR_SSH_PORT', '65536'],
    ['MNGR_SSH_PORT', 'a[$(reboot)]'],
    ['MNGR_SSH_LISTEN_ADDRESS', 'localhost\nPasswordAuthentication yes'],
  ])('ends with code 78 for %s = %j', async (name, value) => {
    const { code, output } = await failedBoot({ [name]: value });
    expect(code).toBe(78);
    expect(output).toMatch(new RegExp(`^mngr: ${name} .*[^.]\\n$`, 'm'));
  });

  it.each(['e2e-test', 'host-1', `host-${'A'.repeat(32)}`, 'a"b\n\u001b[31m'])(
    'has an id of its own where MNGR_HOST_ID = %j is not one, and keeps it',
    async (id) => {
      const host = await bootAsProcesses(folder)({ MNGR_HOST_ID: id });
      const data = JSON.parse(await host.readFile('/mngr/data.json')) as { host_id: string };
      expect(isHostId(data.host_id)).toBe(true);
      expect(await ssh(host, 'echo "$MNGR_HOST_ID"')).toMatchObject({ code: 0, stdout: `${data.host_id}\n` });
      expect(await host.logs()).toMatch(/^mngr: MNGR_HOST_ID is not .*: the host generates its own id$/m);
      await host.remove();
    },
  );

  it('ends with code 70 when sshd cannot have its port', async () => {
    const holder = await bootAsProcesses(folder)();
    const { code, output } = await failedBoot({ MNGR_SSH_PORT: String(holder.address.port) });
    expect(code).toBe(70);
    expect(output).toContain('Address already in use');
    await holder.remove();
  });

  it('ends with code 69 when a program is missing', async () => {
    const programs = mkdtempSync(join(folder, 'bin'));
    for (const name of ['bash', 'sshd', 'ssh-keygen', 'tmux', 'openssl', 'curl', 'awk', 'ps']) {
      symlinkSync(
        execFileSync('bash', ['-c', `PATH=$PATH:/usr/sbin type -P ${name}`], { encoding: 'utf8' }).trim(),
        join(programs, name),
      );
    }
    const { code, output } = await failedBoot({ PATH: programs });
    expect(code).toBe(69);
    expect(output).toBe('mngr: jq is not installed\n');
  });

  it("accepts exactly mngr's host names", async () => {
    const alphabet = fc.constantFrom(...'abzAZ09-_.é /'.split(''));
    const names = fc.array(alphabet, { minLength: 1, maxLength: 6 }).map((letters) => letters.join(''));
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        // The nonce is checked after the name and ends a boot that would go on.
        const { code, output } = await failedBoot({ MNGR_HOST_NAME: name, MNGR_BOOT_NONCE: 'bad' });
        expect(code).toBe(78);
        expect(output.includes('MNGR_HOST_NAME')).toBe(!isHostName(name));
      }),
      { numRuns: 25 },
    );
  });

  it('cannot be talked into another sshd_config by the environment', async () => {
    const host = await bootAsProcesses(folder)({
      AWS_REGION: 'x"\nPasswordAuthentication yes',
      AWS_DEFAULT_REGION: "it's # here",
    });
    expect(await ssh(host, 'echo "${AWS_REGION-absent}"; echo "$AWS_DEFAULT_REGION"')).toMatchObject({
      code: 0,
      stdout: "absent\nit's # here\n",
    });
    expect(await host.readFile('/run/mngr/sshd_config')).not.toContain('PasswordAuthentication yes');
    expect(await host.logs()).toContain('AWS_REGION is not passed on to SSH sessions');
    await host.remove();
  });
});
