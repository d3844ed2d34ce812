import type { Host } from '../../lib/hosts/model/types';
import type { CliLocal } from '../support/cli/cli-local';
import type { MngrMachine } from '../support/mngr/mngr-machine';
import { until } from '../support/run/eventually';

/** What the suites share: one deployed stack and the machine of its first user. */
export interface World {
  readonly local: CliLocal;
  /** Folder with mngr's programs. */
  readonly programs: string;
  readonly machine: MngrMachine;
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
