import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, readPinnedHostKeys } from '../../../lib/ssh';
import { until } from '../../support/run/eventually';
import { startHostsEnvironment } from '../../support/host/hosts-environment';
import { withSmallAddressPool } from '../../support/run/machine-lock';
import { describeWith, program } from '../../support/run/requirements';

describeWith([program('sshd'), program('ssh')], 'an address that ECS gives to another host', () => {
  test('neither the launcher nor ssh speaks to whoever has it now', () =>
    withSmallAddressPool(async () => {
      // One address in all: whoever comes next has the last one's.
      const environment = await startHostsEnvironment({ addressPoolSize: 2 });
      try {
        const mine = environment.hosts();
        const others = environment.hosts();
        const gone = await mine.create({ name: 'gone' });
        const { address, identityFile, knownHostsFile } = gone;
        if (address === null || identityFile === null || knownHostsFile === null)
          throw new Error('the host is not ready');

        // Another machine ends it, so this one still has its keys.
        await others.destroy('gone');
        await until(async () => (await others.list({ stopped: true })).every(({ state }) => state === 'STOPPED'));
        const successor = await others.create({ name: 'successor' });
        expect(successor.address).toEqual(address);

        const keys = await readPinnedHostKeys(knownHostsFile, address.host, address.port);
        const privateKey = readFileSync(identityFile, 'utf8');
        await expect(connect({ ...address, privateKey, hostKey: { type: 'pinned', keys } })).rejects.toMatchObject({
          code: 'unverified-host-key',
          message: expect.stringMatching(/shows host key SHA256:\S+, which is not the pinned one: it is not this host/),
          hint: expect.stringContaining('the address may belong to another task by now'),
        });
        await expect(mine.idleSeconds(gone)).resolves.toBeNull();
        await expect(mine.exec('gone', ['true'])).rejects.toMatchObject({
          code: 'unreachable',
          message: expect.stringContaining('has stopped'),
        });

        const ssh = spawnSync('ssh', mine.sshArguments(gone, ['true']), {
          env: { PATH: process.env.PATH },
          encoding: 'utf8',
          timeout: 60_000,
        });
        expect(ssh.status).toBe(255);
        expect(ssh.stderr).toContain('Host key verification failed');
      } finally {
        await environment.close();
      }
    }));
});
