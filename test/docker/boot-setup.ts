import { setupScript } from '../../lib/hosts/remote/setup-script';
import type { BootHost } from '../support/host/container-host';
import { sshOutput } from '../support/host/container-ssh';

/** What a host does with MNGR_BOOT_SETUP, in a container and without. */
export function describesSetup(boot: BootHost): void {
  it('is set up as by an SSH session before anybody can reach it', async () => {
    const command = ['sh', '-c', 'env > ~/seen; sleep 600'];
    const setup = setupScript('quiet', { command, env: { GREETING: 'it\'s "$HOME"' } }) ?? '';
    const host = await boot({ MNGR_HOST_NAME: 'quiet', MNGR_BOOT_LEASE_SECONDS: '0', MNGR_BOOT_SETUP: setup });
    try {
      expect(await sshOutput(host, 'tmux list-sessions -F "#S #W"')).toBe('mngr-quiet agent\n');
      // Both lists without what belongs to the one shell or the other.
      const variables =
        'grep -E "^(MNGR_|PATH=|LANG=|HOME=|USER=|LOGNAME=|GREETING=)" | grep -v ^MNGR_BOOT_SETUP | sort';
      const agents = await sshOutput(host, `cat ~/seen | ${variables}`);
      const sessions = await sshOutput(host, `set -a; . "$MNGR_HOST_DIR/env"; env | ${variables}`);
      expect(agents).toBe(sessions);
      expect(agents).toContain('GREETING=it\'s "$HOME"\n');
    } finally {
      await host.remove();
    }
  });

  it('can be ended while its setup runs', async () => {
    const host = await boot({ MNGR_BOOT_SETUP: 'kill -TERM "$PPID"; sleep 600' });
    try {
      expect(await host.exitCode()).toBe(143);
      expect(await host.logs()).toContain('stopped by SIGTERM');
    } finally {
      await host.remove();
    }
  });

  it('ends what its setup has started', async () => {
    const setup = setupScript('quiet', { command: ['sleep', '600'], env: {} }) ?? '';
    const host = await boot({ MNGR_HOST_NAME: 'quiet', MNGR_BOOT_SETUP: setup });
    try {
      expect(await host.stop()).toBe(143);
    } finally {
      await host.remove();
    }
  });
}
