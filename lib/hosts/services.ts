import type { ProviderConfig } from '../contract/provider-config';
import { KnockPace } from '../ssh';
import { AwsClients } from './ecs/clients';
import { KeyStore } from './remote/key-store';
import { Launcher } from './ecs/launch';
import { NameIndex } from './ecs/name-index';
import { NetworkInterfaces } from './ecs/network-interfaces';
import { TaskDefinitions } from './ecs/task-definitions';
import { TaskLogs } from './ecs/task-logs';
import { TaskWatch } from './ecs/task-watch';
import { Tasks } from './ecs/tasks';
import type { HostsOptions } from './model/types';

const DEFAULT_PROVIDER = 'fargate';

/** What works with AWS alone, and keeps nothing on this machine. */
export interface AwsServices {
  readonly config: ProviderConfig;
  readonly provider: string;
  readonly clients: AwsClients;
  readonly tasks: Tasks;
  readonly watch: TaskWatch;
  readonly interfaces: NetworkInterfaces;
  readonly definitions: TaskDefinitions;
  readonly names: NameIndex;
  readonly launcher: Launcher;
  readonly knockPace: KnockPace;
  readonly logs: TaskLogs;
}

/** What the operations of one Hosts instance share. */
export interface Services extends AwsServices {
  readonly keys: KeyStore;
}

export const makeServices = (options: HostsOptions): Services => ({
  ...makeAwsServices(options),
  keys: new KeyStore(options.keyDirectory),
});

export function makeAwsServices(options: Omit<HostsOptions, 'keyDirectory'>): AwsServices {
  const { config } = options;
  const clients = new AwsClients(config, options.aws);
  const tasks = new Tasks(clients, config);
  const names = new NameIndex(tasks);
  const definitions = new TaskDefinitions(clients, config);
  return {
    config,
    provider: options.provider ?? DEFAULT_PROVIDER,
    clients,
    tasks,
    watch: new TaskWatch(tasks),
    interfaces: new NetworkInterfaces(clients),
    definitions,
    names,
    launcher: new Launcher(clients, tasks, names, config),
    knockPace: new KnockPace(),
    logs: new TaskLogs(clients, config, definitions),
  };
}
