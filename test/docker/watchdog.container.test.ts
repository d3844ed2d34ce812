import { rm } from 'node:fs/promises';
import { agentImage } from '../support/host/agent-image';
import { removeContainers } from '../support/host/container';
import { bootInContainer, makeTestFolder } from '../support/host/container-host';
import type { BootHost } from '../support/host/container-host';
import { until } from '../support/run/eventually';
import { containerEngine, describeWith, program } from '../support/run/requirements';
import { age, describesWatchdog, EAGER, exists, passRounds } from './watchdog-rules';

const needs = [containerEngine, program('ssh-keygen')];

describeWith(needs, 'the watchdog in a container of the image', () => {
  let folder: string;
  let image: string;
  const boot: BootHost = (environment) => bootInContainer(image, folder)(environment);
  beforeAll(async () => {
    folder = await makeTestFolder();
    image = await agentImage();
  }, 900_000);
  afterAll(async () => {
    await removeContainers();
    await rm(folder, { recursive: true, force: true });
  });

  describesWatchdog(boot);

  it('counts sessions of ECS Exec and Session Manager as activity', async () => {
    const host = await boot(EAGER);
    // The agent's worker for each session, by its name and its place (amazon-ssm-agent; ECS mounts /managed-agents).
    const worker = '/managed-agents/execute-command/ssm-session-worker';
    await host.inside(`mkdir -p $(dirname ${worker}) && cp /bin/sleep ${worker}`);
    await host.inside(`(setsid ${worker} 100000 >/dev/null 2>&1 </dev/null &)`);
    await until(() => exists(host, 'activity/ssh'));
    await age(host, 'activity/*', '2 hours ago');
    await passRounds(host);
    await host.inside('pkill -x ssm-session-wor');
    await age(host, 'activity/*', '2 hours ago');
    expect(await host.exitCode()).toBe(143);
    await host.remove();
  });
});
