import { rm } from 'node:fs/promises';
import { bootAsProcesses, makeTestFolder } from '../support/host/container-host';
import type { BootHost } from '../support/host/container-host';
import { describeWith, program } from '../support/run/requirements';
import { describesSetup } from './boot-setup';

const needs = ['sshd', 'ssh', 'tmux', 'jq', 'openssl', 'curl'].map(program);

describeWith(needs, 'a host as processes that is launched with a setup', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await makeTestFolder();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const boot: BootHost = (environment) => bootAsProcesses(folder)(environment);
  describesSetup(boot);

  it('ends with code 71 when its setup fails, and shows what that said', async () => {
    const host = await boot({ MNGR_BOOT_SETUP: 'echo no room >&2; exit 3' });
    try {
      expect(await host.exitCode()).toBe(71);
      expect(await host.logs()).toMatch(/no room\nmngr: the setup script \(MNGR_BOOT_SETUP\) failed with exit code 3/);
    } finally {
      await host.remove();
    }
  });
});
