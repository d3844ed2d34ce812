import { CliHome } from '../support/cli/cli-program';
import { CliLocal, START_UP } from '../support/cli/cli-local';
import type { MngrMachine } from '../support/mngr/mngr-machine';
import { installMngrWithPlugin, MNGR_VERSIONS } from '../support/mngr/mngr-plugin';
import { describeWith } from '../support/run/requirements';
import { agents, create, INSTALL, LIFE, machineWith, PLUGGED_MNGR, running } from './plugged-mngr';

describeWith(PLUGGED_MNGR, 'each supported mngr with the plugin', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
  }, START_UP);
  afterAll(() => local?.stop());

  describe.each(MNGR_VERSIONS)('%s', (version) => {
    let machine: MngrMachine;
    beforeAll(async () => {
      const programs = await installMngrWithPlugin(version);
      const home = new CliHome(undefined, local.up.env);
      machine = await machineWith(programs, home, version);
    }, INSTALL);
    afterAll(() => machine?.home.remove());

    test(
      'the life of an agent',
      async () => {
        const options = ['--idle-timeout', '20m', '--idle-mode', 'ssh', '--host-label', 'env=dev'];
        await machine.succeed(create('fox', ...options, '-b', '--cpu 512', '-b', 'memory=2048'));

        const [fox] = await agents(machine);
        expect(fox).toMatchObject({
          name: 'fox',
          idle_timeout_seconds: 1200,
          activity_sources: ['SSH', 'CREATE', 'START', 'BOOT'],
          host: { state: 'RUNNING', tags: { env: 'dev' }, resource: { memory_gb: 2, disk_gb: 20 } },
        });
        expect(await running(local)).toMatchObject([{ hostId: fox?.host.id, cpu: 512, tags: { env: 'dev' } }]);

        expect(await machine.succeed(['exec', 'fox', 'cat $MNGR_HOST_DIR/data.json'])).toContain('"idle_mode": "SSH"');

        await machine.succeed(['destroy', 'fox', '-f']);
        expect(await running(local)).toEqual([]);
        expect(await agents(machine)).toEqual([]);
      },
      LIFE,
    );
  });
});
