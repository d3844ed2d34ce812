import { CliLocal, START_UP, localHosts } from '../support/cli-local';
import { terminal } from '../support/cli-terminal';
import { MngrMachine } from '../support/mngr-machine';
import { installMngr, pythonForMngr, separateFileSystems } from '../support/mngr-tool';
import { describeWith, program } from '../support/requirements';
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
  beforeAll(async () => {
    const programs = await installMngr();
    const local = await CliLocal.start();
    world = { local, programs, machine: new MngrMachine(local.home, programs) };
    await world.machine.commit();
  }, START_UP);
  afterAll(() => world?.local.stop());

  describe('with its own ssh provider', () => {
    beforeAll(() => local().home.json(['config', 'write', '--mngr']));
    poolUse(() => world);
    poolLife(() => world);
  });

  const local = (): CliLocal => world.local;
});
