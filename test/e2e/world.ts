import { join } from 'node:path';
import type { Host } from '../../lib/hosts/model/types';
import { withFileLock } from '../../lib/util/file-lock';
import { CliLocal, localHosts } from '../support/cli/cli-local';
import { terminal } from '../support/cli/cli-terminal';
import { separateFileSystems } from '../support/endpoint/namespaces';
import { MngrMachine } from '../support/mngr/mngr-machine';
import { installMngr, pythonForMngr } from '../support/mngr/mngr-tool';
import { until } from '../support/run/eventually';
import { program } from '../support/run/requirements';

/** What the suites need of the machine: the template on a local endpoint, hosts that are real, and mngr as PyPI has it. */
export const E2E = [
  ...[pythonForMngr, separateFileSystems, terminal, ...localHosts],
  ...['git', 'rsync', 'jq'].map(program),
];

/** Milliseconds for mngr to be installed and a world to be started, on a busy machine. */
export const START_UP = 900_000;

/** A deployed stack of a suite's own, and the machine of its first user. */
export interface World {
  readonly local: CliLocal;
  /** Folder with mngr's programs. */
  readonly programs: string;
  readonly machine: MngrMachine;
  readonly stop: () => Promise<void>;
}

/** mngr reaches the hosts by its own ssh provider, or by the plugin. */
export async function startWorld(provider: 'ssh' | 'plugin'): Promise<World> {
  const programs = await installMngr(provider === 'ssh' ? 'mngr-0.3.0' : 'mngr-0.3.0-with-plugin');
  const local = await CliLocal.start();
  const machine = new MngrMachine(local.home, programs);
  await machine.commit();
  if (provider === 'ssh') await local.home.json(['config', 'write', '--mngr']);
  else {
    const words = ['mngr', 'install', '--python', join(programs, 'python')];
    // Suites that run side by side share the environment.
    await withFileLock(programs, () => local.home.json(words), { timeoutMs: START_UP });
    await local.home.json(['config', 'write']);
  }
  return { local, programs, machine, stop: () => local.stop() };
}

/** Milliseconds for a test of several commands of mngr's on a slow machine. */
export const SEVERAL_COMMANDS = 240_000;

/** Milliseconds for the watchdog to see, on a slow machine, what it looks for every 15 s. */
export const WATCHDOG = 120_000;

/** `mngr list --format json`, as far as the tests look. */
export interface AgentList {
  readonly agents: readonly {
    readonly name: string;
    readonly state: string;
    readonly work_dir: string;
    readonly host: { readonly id: string; readonly name: string };
  }[];
  readonly errors: readonly unknown[];
}

/** `mngr list --hosts --format json`. */
export interface HostList {
  readonly hosts: readonly { readonly name: string; readonly provider: string; readonly state: string }[];
}

/** The names of the provider's hosts that run, as mngr sees them. */
export async function hostsSeenBy(machine: MngrMachine, provider = 'fargate'): Promise<string[]> {
  const { hosts } = await machine.json<HostList>(['list', '--hosts']);
  return hosts.filter((host) => host.provider === provider && host.state === 'RUNNING').map(({ name }) => name);
}

/** A shell command on a host, by our own program on the machine that has its key. */
export async function onHost({ machine }: World, host: string, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.home.run(['exec', host, '--', 'sh', '-c', script]);
  if (exitCode !== 0) throw new Error(`${script} on ${host} ended with ${exitCode}: ${stderr}`);
  return stdout;
}

/** Waits until a task has ended, and tells how. Milliseconds. */
export function ended({ local }: World, name: string, timeout: number): Promise<Host> {
  return until(async () => {
    const hosts = await local.home.json<Host[]>(['list', '--stopped', '--no-idle']);
    return hosts.find((host) => host.name === name && host.state === 'STOPPED');
  }, timeout);
}

/** A line of `mngr create --format jsonl`. */
export interface CreateEvent {
  readonly event: string;
  readonly kind?: string;
  readonly step?: string;
  readonly message?: string;
  readonly host_name?: string;
}

export const eventsIn = (output: string): CreateEvent[] =>
  output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as CreateEvent] : []));
