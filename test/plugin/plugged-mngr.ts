import type { CliHome } from '../support/cli/cli-program';
import type { CliLocal } from '../support/cli/cli-local';
import { localHosts } from '../support/cli/cli-local';
import { separateFileSystems } from '../support/endpoint/namespaces';
import { MngrMachine } from '../support/mngr/mngr-machine';
import type { MngrVersion } from '../support/mngr/mngr-plugin';
import { pythonForMngr } from '../support/mngr/mngr-tool';
import { program } from '../support/run/requirements';

/** Milliseconds that one agent's life may take on a busy machine; every command of mngr has a limit of its own. */
export const LIFE = 600_000;
export const INSTALL = 900_000;

/** What mngr with the plugin needs of the machine. */
export const PLUGGED_MNGR = [pythonForMngr, separateFileSystems, ...localHosts, program('git'), program('jq')];

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

/** A machine whose mngr has the provider in its settings. */
export async function machineWith(programs: string, home: CliHome, version: MngrVersion): Promise<MngrMachine> {
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

/** The words of a create of an agent on a host of its own. */
export const create = (name: string, ...options: string[]): string[] => [
  ...['create', `${name}@.fargate`, '--type', 'command', '--no-connect', ...options],
  ...['--', 'sleep', '100000'],
];

export const agents = async (machine: MngrMachine): Promise<readonly ListedAgent[]> =>
  (await machine.json<{ agents: ListedAgent[] }>(['list'])).agents;

export const running = (local: CliLocal): Promise<readonly FargateHost[]> =>
  local.home.json<FargateHost[]>(['list', '--no-idle']);
