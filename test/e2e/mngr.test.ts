import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lib/hosts/types';
import { CliLocal, START_UP, localHosts } from '../support/cli-local';
import { MngrMachine } from '../support/mngr-machine';
import { installMngr, pythonForMngr, separateFileSystems } from '../support/mngr-tool';
import { describeWith, program } from '../support/requirements';

interface Agents {
  readonly agents: readonly { readonly name: string; readonly state: string; readonly host: { readonly id: string } }[];
  readonly errors: readonly unknown[];
}

const needs = [pythonForMngr, separateFileSystems, ...localHosts, ...['git', 'rsync', 'jq'].map(program)];

describeWith(needs, 'released mngr with its own ssh provider', () => {
  let local: CliLocal;
  let machine: MngrMachine;
  beforeAll(async () => {
    const programs = await installMngr();
    local = await CliLocal.start();
    machine = new MngrMachine(local.home, programs);
    await machine.commit();
    await local.home.json<Host>(['create', 'fox']);
    await local.home.json(['mngr', 'sync']);
    appendFileSync(
      join(machine.profileDirectory, 'settings.toml'),
      '[providers.fargate]\nbackend = "ssh"\nhost_dir = "/mngr"\nmin_online_host_age_seconds = 1e12\n',
    );
  }, START_UP);
  afterAll(() => local?.stop());

  test('sees the host and starts an agent on it', async () => {
    await expect(machine.json(['list', '--hosts'])).resolves.toMatchObject({
      hosts: expect.arrayContaining([expect.objectContaining({ name: 'fox', provider: 'fargate' })]) as unknown,
    });
    await machine.succeed(['create', 'bee@fox.fargate', '--type', 'command', '--no-connect', '--', 'cat']);
    const { agents, errors } = await machine.json<Agents>(['list']);
    expect(errors).toEqual([]);
    expect(agents).toMatchObject([{ name: 'bee', host: { name: 'fox', provider_name: 'fargate' } }]);
    await expect(machine.succeed(['exec', 'bee', 'cat README.md'])).resolves.toContain('what the agents work on');
  });
});
