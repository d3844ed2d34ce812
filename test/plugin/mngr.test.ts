import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CliHome } from '../support/cli/cli-program';
import { CliLocal, localHosts, START_UP } from '../support/cli/cli-local';
import { eventually } from '../support/run/eventually';
import { MngrMachine } from '../support/mngr/mngr-machine';
import type { MngrVersion } from '../support/mngr/mngr-plugin';
import { installMngrWithPlugin, MNGR_VERSIONS } from '../support/mngr/mngr-plugin';
import { pythonForMngr } from '../support/mngr/mngr-tool';
import { separateFileSystems } from '../support/endpoint/namespaces';
import { describeWith, program } from '../support/run/requirements';

/** Milliseconds that one agent's life may take on a busy machine; every command of mngr has a limit of its own. */
const LIFE = 600_000;
const INSTALL = 900_000;

const needs = [pythonForMngr, separateFileSystems, ...localHosts, program('git'), program('jq')];

interface ListedAgent {
  readonly name: string;
  readonly state: string;
  readonly idle_timeout_seconds: number;
  readonly activity_sources: readonly string[];
  readonly host: {
    readonly id: string;
    readonly state: string;
    readonly tags: Readonly<Record<string, string>>;
    readonly resource: { readonly memory_gb: number; readonly disk_gb: number };
    readonly ssh: { readonly known_hosts_path?: string } | null;
  };
}

interface FargateHost {
  readonly hostId: string;
  readonly name: string;
  readonly state: string;
}

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

describeWith(needs, 'mngr with the plugin', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
  }, START_UP);
  afterAll(() => local?.stop());

  const running = async (): Promise<readonly FargateHost[]> => local.home.json<FargateHost[]>(['list', '--no-idle']);

  /** A machine whose mngr has the provider in its settings. */
  async function machineWith(programs: string, home: CliHome, version: MngrVersion): Promise<MngrMachine> {
    const machine = new MngrMachine(home, programs);
    await machine.commit();
    const settings = [['fargate.backend', 'fargate'] as const];
    // mngr 0.2 has a docker provider, and complains where there is no docker.
    const docker = [['docker.backend', 'docker'] as const, ['docker.is_enabled', 'false'] as const];
    for (const [key, value] of version === '0.3.0' ? settings : [...settings, ...docker]) {
      await machine.succeed(['config', 'set', '--scope', 'user', `providers.${key}`, value]);
    }
    return machine;
  }

  const create = (name: string, ...options: string[]): string[] => [
    ...['create', `${name}@.fargate`, '--type', 'command', '--no-connect', ...options],
    ...['--', 'sleep', '100000'],
  ];

  const agents = async (machine: MngrMachine): Promise<readonly ListedAgent[]> =>
    (await machine.json<{ agents: ListedAgent[] }>(['list'])).agents;

  describe.each(MNGR_VERSIONS)('%s', (version) => {
    let machine: MngrMachine;
    beforeAll(async () => {
      const programs = await installMngrWithPlugin(version, 'agents');
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
          ...{ name: 'fox', idle_timeout_seconds: 1200 },
          activity_sources: ['SSH', 'CREATE', 'START', 'BOOT'],
          host: { state: 'RUNNING', tags: { env: 'dev' }, resource: { memory_gb: 2, disk_gb: 20 } },
        });
        expect(await running()).toMatchObject([{ hostId: fox?.host.id, cpu: 512, tags: { env: 'dev' } }]);

        expect(await machine.succeed(['exec', 'fox', 'cat $MNGR_HOST_DIR/data.json'])).toContain('"idle_mode": "SSH"');

        await machine.succeed(['destroy', 'fox', '-f']);
        expect(await running()).toEqual([]);
        expect(await agents(machine)).toEqual([]);
      },
      LIFE,
    );
  });

  describe('0.3.0', () => {
    let programs: string;
    let machine: MngrMachine;
    beforeAll(async () => {
      programs = await installMngrWithPlugin('0.3.0', 'agents');
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
        await eventually(async () => expect(await running()).toEqual([]));
      },
      LIFE,
    );

    test(
      'a host that another machine created is seen, and can be destroyed; one that died is still listed',
      async () => {
        await machine.succeed(create('owl'));
        const [owl] = await running();
        const elsewhere = await machineWith(programs, new CliHome(undefined, local.up.env), '0.3.0');
        const { hosts } = await elsewhere.json<{ hosts: { id: string; state: string }[] }>(['list', '--hosts']);
        expect(hosts).toContainEqual(expect.objectContaining({ id: owl?.hostId, state: 'UNAUTHENTICATED' }));

        await elsewhere.succeed(['destroy', `@${owl?.name}.fargate`, '-f']);
        expect(await running()).toEqual([]);
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
        expect(lost.stderr).toContain(
          'MNGR_FARGATE_CLI_PATH names /nowhere/mngr-fargate, and there is no such program',
        );
        bare.home.remove();
      },
      LIFE,
    );
  });
});
