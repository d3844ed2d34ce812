import { MngrFargateError } from '../contract/errors';
import type { ProviderConfig } from '../contract/provider-config';
import { NO_PROXY_JUMP, parseProxyJump } from '../contract/proxy-jump';
import type { UserSsh } from '../ssh';
import { Jump } from '../ssh';
import { AwsClients } from '../aws/clients';
import { EcsClient, LAUNCHER_SHARE } from '../aws/ecs-client';
import type { Carrier } from './remote/carrier';
import { AutoCarrier } from './remote/auto-carrier';
import { DirectCarrier } from './remote/direct-carrier';
import { KeyStore } from './remote/key-store';
import { SessionCarrier } from './remote/session-carrier';
import { SshPort } from './ecs/ssh-port';
import { Launcher } from './ecs/launch';
import { NameIndex } from './ecs/name-index';
import { NetworkInterfaces } from './ecs/network-interfaces';
import { TaskDefinitions } from './ecs/task-definitions';
import { TaskLogs } from './ecs/task-logs';
import { TaskWatch } from './ecs/task-watch';
import { Tasks } from './ecs/tasks';
import type { LaunchName } from './ecs/tasks';
import { familyOf } from '../contract/task-definition-family';
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
  readonly logs: TaskLogs;
}

/** What the operations of one Hosts instance share. */
export interface Services extends AwsServices {
  readonly keys: KeyStore;
  readonly carrier: Carrier;
}

/** What a host of this name is launched as. */
export const launchName = ({ provider, config }: AwsServices, name: string): LaunchName => ({
  provider,
  name,
  environment: familyOf(config.task_definition),
});

export function makeServices(options: HostsOptions): Services {
  const services = makeAwsServices(options);
  const keys = new KeyStore(options.keyDirectory);
  return { ...services, keys, carrier: makeCarrier(services, keys, options.userSsh) };
}

function makeCarrier(services: AwsServices, keys: KeyStore, userSsh: UserSsh | undefined): Carrier {
  const { config, clients } = services;
  const hops = parseProxyJump(config.proxy_jump ?? NO_PROXY_JUMP) ?? [];
  if (hops.length > 0) return throughBastion(services, keys, new Jump(hops, userSsh));
  const direct = new DirectCarrier({ ...services, keys });
  const session = new SessionCarrier({ ...services, keys, ssm: () => clients.ssm() });
  switch (config.transport ?? 'auto') {
    case 'direct':
      return direct;
    case 'ssm':
      return session;
    case 'auto':
      return new AutoCarrier(direct, session, new SshPort(clients, config));
  }
}

/** A bastion leads to addresses, so it is the whole way wherever one is named. */
function throughBastion(services: AwsServices, keys: KeyStore, jump: Jump): Carrier {
  if (services.config.transport !== 'ssm') return new DirectCarrier({ ...services, keys, jump });
  throw new MngrFargateError('usage', 'proxy_jump and transport = "ssm" name two ways to the hosts', {
    hint: 'leave one of them out, or turn the bastion off with proxy_jump = "none"',
  });
}

export function makeAwsServices(options: Omit<HostsOptions, 'keyDirectory'>): AwsServices {
  const { config } = options;
  const clients = new AwsClients(config, options.aws);
  const ecs = new EcsClient(clients, LAUNCHER_SHARE);
  const tasks = new Tasks(ecs, config.ecs_cluster);
  const names = new NameIndex(tasks);
  const definitions = new TaskDefinitions(ecs, config);
  return {
    config,
    provider: options.provider ?? DEFAULT_PROVIDER,
    clients,
    tasks,
    watch: new TaskWatch(tasks),
    interfaces: new NetworkInterfaces(clients),
    definitions,
    names,
    launcher: new Launcher(ecs, tasks, names, config),
    logs: new TaskLogs(clients, config, definitions),
  };
}
