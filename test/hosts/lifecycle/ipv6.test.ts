import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeNetworkInterfacesCommand, DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTasksCommand, ECSClient } from '@aws-sdk/client-ecs';
import type { Host, Hosts } from '../../../lib/hosts';
import { syncDynamicHosts } from '../../../lib/mngr/ssh-provider/dynamic-hosts-sync';
import { startHostsEnvironment } from '../../support/host/hosts-environment';
import type { HostsEnvironment } from '../../support/host/hosts-environment';
import { startSshd } from '../../support/host/sshd';
import { TestUserSsh } from '../../support/host/user-ssh';
import { describeWith, program } from '../../support/run/requirements';

/** An address of nobody's (RFC 5737), as an IPv4 address is to somebody whom the security group lets in by IPv6 alone. */
const SILENT = '192.0.2.1';

describeWith([program('sshd'), program('ssh'), program('tmux')], 'a host in a dual-stack network', () => {
  let environment: HostsEnvironment;
  let hosts: Hosts;
  let keyDirectory: string;
  let host: Host;

  beforeAll(async () => {
    environment = await startHostsEnvironment({ dualStack: true });
    keyDirectory = environment.keyDirectory();
    hosts = environment.hosts({ keyDirectory });
    host = await hosts.create({ name: 'six' });
  });
  afterAll(async () => {
    await hosts.destroyAll();
    await environment.close();
  });

  /** The same host as somebody has it whose packets over IPv4 nobody answers. */
  const unreachableByIpv4 = (): Host => ({
    ...host,
    address: { ...(host.address as NonNullable<Host['address']>), host: SILENT },
  });

  test('has the IPv6 address that ECS and EC2 show', async () => {
    const { client } = environment.local;
    const ecs = new ECSClient(client);
    const ec2 = new EC2Client(client);
    const described = await ecs.send(new DescribeTasksCommand({ cluster: 'mngr', tasks: [host.taskArn] }));
    const [task] = described.tasks ?? [];
    const detail = (name: string) => task?.attachments?.[0]?.details?.find((one) => one.name === name)?.value ?? '';
    const eni = detail('networkInterfaceId');
    const found = await ec2.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [eni] }));
    const subnets = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [detail('subnetId')] }));
    ecs.destroy();
    ec2.destroy();
    expect(host.ipv6).toMatch(/^::ffff:127\.[\d.]+$/);
    expect(task?.containers?.[0]?.networkInterfaces?.[0]?.ipv6Address).toBe(host.ipv6);
    expect(found.NetworkInterfaces?.[0]?.Ipv6Addresses).toMatchObject([{ Ipv6Address: host.ipv6 }]);
    expect(subnets.Subnets?.[0]).toMatchObject({
      AssignIpv6AddressOnCreation: true,
      Ipv6CidrBlockAssociationSet: [{ Ipv6CidrBlockState: { State: 'associated' } }],
    });
    await expect(hosts.get('six')).resolves.toMatchObject({ ipv6: host.ipv6, address: host.address });
  });

  test('is pinned by its id and by both addresses', () => {
    const [names = ''] = readFileSync(host.knownHostsFile as string, 'utf8').split(' ');
    expect(names.split(',').sort()).toEqual([host.hostId, host.address?.host, host.ipv6].sort());
  });

  test('is reached by the address that answers, by us and by the system’s ssh', async () => {
    const other = environment.hosts({ keyDirectory, config: { ...environment.config, transport: 'direct' } });
    const silent = unreachableByIpv4();
    expect(await other.sshRoute(silent)).toBe('direct');
    const args = other.sshArguments(silent, ['echo', 'over IPv6']);
    expect(args).toContain(`root@${host.ipv6}`);
    expect(execFileSync('ssh', args, { encoding: 'utf8' })).toBe('over IPv6\n');

    const socket = await other.openSsh(silent);
    const [greeting] = (await new Promise((resolve) => socket.once('data', (data) => resolve([data])))) as [Buffer];
    socket.destroy();
    expect(greeting.toString()).toMatch(/^SSH-2\.0-/);
  });

  test('is reached from a bastion by the address that this may connect to, which may be the private one', async () => {
    const { host: own = '' } = host.address ?? {};
    const bastion = await startSshd({ versionAddendum: 'none', config: [`PermitOpen ${own}:${host.address?.port}`] });
    const user = new TestUserSsh().has(bastion.clientKey).knows(TestUserSsh.line(bastion));
    const config = { ...environment.config, proxy_jump: `${bastion.user}@127.0.0.1:${bastion.port}` };
    const jumping = environment.hosts({ keyDirectory, config, userSsh: user });
    try {
      const inside = { ...unreachableByIpv4(), ipv6: null, privateIp: own };
      expect(await jumping.sshRoute(inside)).toBe('jump');
      const socket = await jumping.openSsh(inside);
      const [greeting] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      expect(greeting.toString()).toMatch(/^SSH-2\.0-/);

      // The same for a host that is starting, whose addresses are tried at once.
      await expect(jumping.create({ name: 'refused', timeout: 60 })).rejects.toMatchObject({
        code: 'denied',
        hint: expect.stringContaining('PermitOpen') as string,
      });
    } finally {
      await jumping.close();
      await bastion.stop();
      user.remove();
    }
  });

  test('is in the ssh provider’s file by the address that answers, and stays there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-ipv6-'));
    try {
      const file = join(folder, 'dynamic_hosts.toml');
      const request = { file, sshProvider: 'pool', keyDirectory, listHosts: async () => [unreachableByIpv4()] };
      for (const changed of [true, false])
        await expect(syncDynamicHosts(request)).resolves.toMatchObject({
          changed,
          hosts: [{ name: 'six', address: host.ipv6, port: host.address?.port }],
          leftOut: [],
        });
      expect(readFileSync(file, 'utf8')).toContain(`address = "${host.ipv6}"`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
