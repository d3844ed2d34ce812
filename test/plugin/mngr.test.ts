import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CliHome } from '../support/cli/cli-program';
import { CliLocal, START_UP } from '../support/cli/cli-local';
import { eventually } from '../support/run/eventually';
import { MngrMachine } from '../support/mngr/mngr-machine';
import { installMngrWithPlugin } from '../support/mngr/mngr-plugin';
import { describeWith } from '../support/run/requirements';
import { agents, create, INSTALL, LIFE, machineWith, PLUGGED_MNGR, running } from './plugged-mngr';

/** Sends the signal to mngr, and to nobody else, while its host is being started. Its exit code, null for a killed one. */
async function endedBy(signal: NodeJS.Signals, machine: MngrMachine, words: readonly string[]): Promise<number | null> {
  const child = spawn('mngr', words, { cwd: machine.repository, env: machine.env(), timeout: LIFE / 2 });
  const ended = once(child, 'close');
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('waiting for an address')) child.kill(signal);
    });
  }
  const [exitCode] = (await ended) as [number | null];
  return exitCode;
}

describeWith(PLUGGED_MNGR, 'mngr 0.3.0 with the plugin', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
  }, START_UP);
  afterAll(() => local?.stop());

  let programs: string;
  let machine: MngrMachine;
  beforeAll(async () => {
    programs = await installMngrWithPlugin('0.3.0');
    machine = await machineWith(programs, local.home, '0.3.0');
  }, INSTALL);

  test(
    'a create shows its steps through mngr itself, and its agent can be stopped and started where its host cannot',
    async () => {
      const { exitCode, stdout, stderr } = await machine.mngr(create('jay', '--format', 'jsonl'));
      expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string; kind?: string; step?: string; parent?: string });
      const steps = events.filter(({ kind, parent }) => kind === 'started' && parent === 'creating_host');
      expect(steps.map(({ step }) => step)).toEqual(
        ['keys', 'run_task', 'address', 'ssh', 'setup', 'ready'].map((step) => `fargate.${step}`),
      );
      expect(events.at(-1)).toMatchObject({ event: 'created', ssh_user: 'root' });

      await machine.succeed(['stop', 'jay']);
      expect(await agents(machine)).toMatchObject([{ name: 'jay', state: 'STOPPED', host: { state: 'RUNNING' } }]);
      const refusal = await machine.mngr(['stop', 'jay', '--stop-host']);
      expect(refusal.exitCode).not.toBe(0);
      expect(refusal.stderr).toContain('does not support stopping hosts');
      await machine.succeed(['start', 'jay']);
      // The watchdog doesn't take a host whose agents are stopped for one that nobody needs.
      expect(await machine.succeed(['exec', 'jay', 'cat $MNGR_HOST_DIR/data.json'])).toContain(
        '"tmux_session_prefix": null',
      );
      await machine.succeed(['destroy', 'jay', '-f']);
    },
    LIFE,
  );

  test(
    'creates that end too early leave no host: Ctrl-C, a killed mngr, a command that fails, an unknown argument',
    async () => {
      for (const signal of ['SIGINT', 'SIGKILL'] as const) {
        const exitCode = await endedBy(signal, machine, create(`early-${signal.toLowerCase()}`));
        expect(exitCode).not.toBe(0);
      }
      const failed = await machine.mngr(create('failed', '--post-host-create-command', 'exit 3'));
      expect(failed.exitCode).toBe(1);
      const unknown = await machine.mngr(create('unknown', '-b', '--gpus=1'));
      expect(unknown.exitCode).not.toBe(0);
      expect(unknown.stderr).toContain("unknown build argument '--gpus=1'");
      await eventually(async () => expect(await running(local)).toEqual([]));
    },
    LIFE,
  );

  test(
    'a host that another machine created is seen, and can be destroyed; one that died is still listed',
    async () => {
      await machine.succeed(create('owl'));
      const [owl] = await running(local);
      const elsewhere = await machineWith(programs, new CliHome(undefined, local.up.env), '0.3.0');
      const { hosts } = await elsewhere.json<{ hosts: { id: string; state: string }[] }>(['list', '--hosts']);
      expect(hosts).toContainEqual(expect.objectContaining({ id: owl?.hostId, state: 'UNAUTHENTICATED' }));

      await elsewhere.succeed(['destroy', `@${owl?.name}.fargate`, '-f']);
      expect(await running(local)).toEqual([]);
      expect(await agents(machine)).toMatchObject([{ name: 'owl', state: 'STOPPED', host: { state: 'DESTROYED' } }]);
      const exec = await machine.mngr(['exec', 'owl', 'true']);
      expect(exec.exitCode).not.toBe(0);
      await machine.succeed(['destroy', 'owl', '-f']);
      expect(await agents(machine)).toEqual([]);
      elsewhere.home.remove();
    },
    LIFE,
  );

  test(
    'nobody is bothered who installed the plugin and configured nothing, or lost the program',
    async () => {
      const bare = new MngrMachine(new CliHome(), programs);
      await bare.commit();
      expect((await bare.mngr(['list'])).exitCode).toBe(0);
      expect((await bare.mngr(['gc'])).exitCode).toBe(0);
      const refused = await bare.mngr(create('fox'));
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('it is not configured');

      const env = { MNGR_FARGATE_CLI_PATH: '/nowhere/mngr-fargate' };
      const lost = await machine.mngr(create('fox'), { env });
      expect(lost.stderr).toContain('MNGR_FARGATE_CLI_PATH names /nowhere/mngr-fargate, which does not exist');
      bare.home.remove();
    },
    LIFE,
  );
});
