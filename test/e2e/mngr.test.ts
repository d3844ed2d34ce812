import { join } from 'node:path';
import { CliLocal, START_UP, localHosts } from '../support/cli/cli-local';
import { CliHome } from '../support/cli/cli-program';
import { terminal } from '../support/cli/cli-terminal';
import { MngrMachine } from '../support/mngr/mngr-machine';
import { installMngr, pythonForMngr } from '../support/mngr/mngr-tool';
import { separateFileSystems } from '../support/endpoint/namespaces';
import { describeWith, program } from '../support/run/requirements';
import { pluginLife } from './plugin-life';
import { pluginUse } from './plugin-use';
import { poolLife } from './pool-life';
import { poolUse } from './pool-use';
import type { World } from './world';

const needs = [
  ...[pythonForMngr, separateFileSystems, terminal, ...localHosts],
  ...['git', 'rsync', 'jq'].map(program),
];

/** The template on a local endpoint, hosts that are real, and mngr as PyPI has it. */
describeWith(needs, 'released mngr', () => {
  let world: World;
  const local = (): CliLocal => world.local;
  beforeAll(async () => {
    const programs = await installMngr();
    const started = await CliLocal.start();
    world = { local: started, programs, machine: new MngrMachine(started.home, programs) };
    await world.machine.commit();
  }, START_UP);
  afterAll(() => world?.local.stop(), START_UP);

  describe('with its own ssh provider', () => {
    beforeAll(() => local().home.json(['config', 'write', '--mngr']));
    poolUse(() => world);
    poolLife(() => world);
  });

  describe('with the plugin', () => {
    let plugged: World;
    beforeAll(async () => {
      const programs = await installMngr('mngr-0.3.0-with-plugin');
      await local().home.json(['mngr', 'install', '--python', join(programs, 'python')]);
      const home = new CliHome().with(local().up.env);
      plugged = { local: local(), programs, machine: new MngrMachine(home, programs) };
      await plugged.machine.commit();
      await home.json(['config', 'write']);
    }, START_UP);
    afterAll(() => plugged?.machine.home.remove());
    pluginUse(() => plugged);
    pluginLife(() => plugged);
  });
});
