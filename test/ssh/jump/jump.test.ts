import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { parseProxyJump } from '../../../lib/contract/proxy-jump';
import type { UserSsh } from '../../../lib/ssh';
import { connect, generateKeyPair, Jump, knock, run } from '../../../lib/ssh';
import { startSshd } from '../../support/host/sshd';
import type { TestSshd } from '../../support/host/sshd';
import { startAgent, TestUserSsh } from '../../support/host/user-ssh';
import { until } from '../../support/run/eventually';
import { freePort } from '../../support/run/free-port';
import { describeWith, program } from '../../support/run/requirements';

const addressOf = ({ host, port }: TestSshd): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** What a login through a jump comes to. */
async function through(text: string, userSsh: UserSsh, target: TestSshd, nonce = target.nonce): Promise<string> {
  const jump = new Jump(parseProxyJump(text) ?? [], userSsh);
  try {
    const { host, port, user, clientKey } = target;
    const hostKey = { type: 'proof', nonce } as const;
    const channel = await connect({ host, port, user, privateKey: clientKey.privateKey, hostKey, dialer: jump });
    const { stdout } = await run(channel, 'echo "$SSH_CONNECTION"');
    channel.close();
    return stdout;
  } finally {
    await jump.close();
  }
}

describeWith(['sshd', 'ssh', 'ssh-agent', 'ssh-add', 'ssh-keygen'].map(program), 'a bastion', () => {
  let target: TestSshd;
  let bastion: TestSshd;
  let user: TestUserSsh;

  beforeAll(async () => {
    target = await startSshd();
    bastion = await startSshd({ versionAddendum: 'none' });
  });
  afterAll(async () => {
    await Promise.all([target.stop(), bastion.stop()]);
  });
  beforeEach(() => {
    user = new TestUserSsh();
  });
  afterEach(() => user.remove());

  test('leads to a host with the key of an identity file; the host proves its own key as ever', async () => {
    user.has(bastion.clientKey).knows(TestUserSsh.line(bastion));
    await expect(through(addressOf(bastion), user, target)).resolves.toContain(` ${target.port}\n`);
    await expect(through(addressOf(bastion), user, target, 'f'.repeat(64))).rejects.toMatchObject({
      code: 'unverified-host-key',
      message: expect.stringContaining('shows a proof that does not fit') as string,
    });
  });

  test('takes keys from ssh-agent, also where they are many', async () => {
    const others = [1, 2, 3].map((index) => generateKeyPair(`other${index}`));
    const agent = await startAgent(...others, bastion.clientKey);
    try {
      user.knows(TestUserSsh.line(bastion));
      const withAgent = { home: user.home, agentSocket: agent.socket };
      await expect(through(addressOf(bastion), withAgent, target)).resolves.toMatch(/\d/);
      // The key that the configuration names goes first: a server ends a login after a few others.
      const strict = await startSshd({
        clientKey: bastion.clientKey,
        versionAddendum: 'none',
        config: ['MaxAuthTries 2'],
      });
      try {
        user.knows(TestUserSsh.line(strict)).configures(`Host 127.0.0.1\n  IdentityFile ~/.ssh/work\n`);
        writeFileSync(user.path('work.pub'), `${bastion.clientKey.publicKey}\n`);
        await expect(through(addressOf(strict), withAgent, target)).resolves.toMatch(/\d/);
      } finally {
        await strict.stop();
      }
    } finally {
      await agent.stop();
    }
  });

  test('may be several, each with its own user, and over IPv6', async () => {
    const inner = await startSshd({ host: '::1', clientKey: bastion.clientKey, versionAddendum: 'none' });
    try {
      user.has(bastion.clientKey).knows(TestUserSsh.line(bastion), TestUserSsh.line(inner));
      const chain = `${bastion.user}@${addressOf(bastion)},${inner.user}@${addressOf(inner)}`;
      await expect(through(chain, user, target)).resolves.toMatch(/^\S+ \d+ /);
      await inner.stop();
      await expect(through(chain, user, target)).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(
          /^the bastion \S+ port \d+ cannot connect to ::1 port \d+: connection refused$/,
        ) as string,
      });
    } finally {
      await inner.stop();
    }
  });

  test("is what the user's ssh_config says: address, port, user, key, name in known_hosts, and a bastion before it", async () => {
    const outer = await startSshd({ versionAddendum: 'none' });
    try {
      user
        .has(bastion.clientKey, 'one')
        .has(outer.clientKey, 'two')
        .knows(TestUserSsh.line(bastion, 'corp'), TestUserSsh.line(outer))
        .configures(
          `Host gate
  HostName ${bastion.host}
  Port ${bastion.port}
  User ${bastion.user}
  IdentityFile ~/.ssh/one
  IdentitiesOnly yes
  HostKeyAlias corp
  ProxyJump outer
Host outer
  HostName ${outer.host}
  Port ${outer.port}
  IdentityFile %d/.ssh/two
`,
        );
      await expect(through('gate', user, target)).resolves.toMatch(/\d/);
      await outer.stop();
      await expect(through('gate', user, target)).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining(`cannot reach the bastion ${outer.host} port ${outer.port}`) as string,
      });
      user.configures('Host circle\n  ProxyJump circle2\nHost circle2\n  ProxyJump circle\n');
      await expect(through('circle', user, target)).rejects.toMatchObject({ code: 'usage' });
      user.configures('Host program\n  ProxyCommand nc %h %p\n');
      await expect(through('program', user, target)).rejects.toMatchObject({ code: 'usage' });
    } finally {
      await outer.stop();
    }
  });

  test('is not trusted unless known_hosts has its very key', async () => {
    user.has(bastion.clientKey);
    const attempt = (): Promise<unknown> => through(addressOf(bastion), user, target);
    const refusal = (message: RegExp) =>
      expect.objectContaining({
        code: 'unverified-host-key',
        message: expect.stringMatching(message) as string,
      }) as Error;
    await expect(attempt()).rejects.toEqual(refusal(/SHA256:\S+, which is not in known_hosts$/));

    user.knows(TestUserSsh.line({ ...bastion, hostKeyBlob: target.hostKeyBlob }));
    await expect(attempt()).rejects.toEqual(refusal(/not the one in known_hosts/));

    user.knows(
      TestUserSsh.line(bastion),
      `@revoked ${TestUserSsh.line(bastion, '*')}`,
      `@revoked * ${TestUserSsh.line(bastion).split(' ').slice(1).join(' ')}`,
    );
    await expect(attempt()).rejects.toEqual(refusal(/revokes/));

    user.knows(`@cert-authority * ${TestUserSsh.line(bastion).split(' ').slice(1).join(' ')}`);
    await expect(attempt()).rejects.toEqual(refusal(/certificate authority/));

    const rsa = user.path('rsa');
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-f', rsa]);
    user.knows(`[${bastion.host}]:${bastion.port} ${execFileSync('cat', [`${rsa}.pub`]).toString()}`);
    await expect(attempt()).rejects.toEqual(refusal(/no host key of a kind in known_hosts/));

    user.knows(TestUserSsh.line(bastion));
    execFileSync('ssh-keygen', ['-q', '-H', '-f', user.path('known_hosts')], { stdio: 'ignore' });
    await expect(attempt()).resolves.toMatch(/\d/);
  });

  test('says which keys it refused, and which could not be used', async () => {
    user.knows(TestUserSsh.line(bastion));
    const attempt = (): Promise<unknown> => through(addressOf(bastion), user, target);
    await expect(attempt()).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('there is no key to log in with') as string,
    });
    user.has(generateKeyPair('stranger'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', 'secret', '-f', user.path('id_ecdsa')]);
    await expect(attempt()).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringMatching(
        /it refused \S+id_ed25519; not usable: \S+id_ecdsa \(it has a passphrase/,
      ) as string,
    });
    rmSync(user.path('id_ecdsa'));
    const nowhere = { home: user.home, agentSocket: user.path('no-agent') };
    await expect(through(addressOf(bastion), nowhere, target)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('ssh-agent (nothing answers') as string,
    });
  });

  test('that is down, is no SSH server, or forwards nothing says so', async () => {
    user.has(bastion.clientKey);
    await expect(through(`127.0.0.1:${await freePort()}`, user, target)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^cannot reach the bastion .*: connection refused$/) as string,
    });
    const web = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    await expect(through(`127.0.0.1:${(web.address() as AddressInfo).port}`, user, target)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('the bastion') as string,
    });
    web.close();
    const closed = await startSshd({
      clientKey: bastion.clientKey,
      versionAddendum: 'none',
      config: ['AllowTcpForwarding no'],
    });
    try {
      user.knows(TestUserSsh.line(closed));
      const refusal = { code: 'denied', hint: expect.stringContaining('AllowTcpForwarding') as string };
      await expect(through(addressOf(closed), user, target)).rejects.toMatchObject(refusal);
      // Not waited for, as a host that is starting would be.
      const jump = new Jump(parseProxyJump(addressOf(closed)) ?? [], user);
      await expect(knock(target.host, target.port, { dialer: jump })).rejects.toMatchObject(refusal);
      await jump.close();
    } finally {
      await closed.stop();
    }
  });

  test('that was lost is logged in to again', async () => {
    const cables = new Set<Socket>();
    const wire = createServer((socket) => {
      const onward = createConnection(bastion.port, bastion.host);
      for (const end of [socket, onward]) cables.add(end.on('error', () => undefined));
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
    const { port } = wire.address() as AddressInfo;
    user.has(bastion.clientKey).knows(TestUserSsh.line({ ...bastion, port }));
    const jump = new Jump(parseProxyJump(`127.0.0.1:${port}`) ?? [], user);
    try {
      (await jump.dial(target.host, target.port)).destroy();
      const channel = await jump.open();
      await expect(jump.open()).resolves.toBe(channel);
      for (const cable of cables) cable.destroy();
      await until(() => Promise.resolve(channel.lostBecause() !== undefined));
      (await jump.dial(target.host, target.port)).destroy();
    } finally {
      await jump.close();
      wire.close();
    }
  });
});
